"""A full disk is an outage of MongoDB, not a bug."""

from __future__ import annotations

import pytest
from pymongo.errors import BulkWriteError, OperationFailure, WriteError

from libra.core.errors import Unavailable
from libra.store.error_translation import ErrorTranslator

NO_SPACE = "28: No space left on device"


@pytest.mark.parametrize(
    "error",
    [
        WriteError(NO_SPACE, 8, {"errmsg": NO_SPACE}),
        OperationFailure("out of disk space", 14031),
        BulkWriteError({"writeErrors": [{"index": 0, "code": 8, "errmsg": NO_SPACE}], "writeConcernErrors": []}),
    ],
)
def test_a_full_disk_is_an_outage(error: OperationFailure) -> None:
    with pytest.raises(Unavailable, match="no space left on its disk: free space"), ErrorTranslator("mongodb://m:1")():
        raise error


def test_another_failed_write_stays_a_bug() -> None:
    with pytest.raises(WriteError), ErrorTranslator("mongodb://m:1")():
        raise WriteError("the document is too large", 17420)
