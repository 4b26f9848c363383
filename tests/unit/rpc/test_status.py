"""Errors become gRPC statuses and come back from them as the same errors."""

from __future__ import annotations

import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from libra.core.errors import (
    CallerError,
    Conflict,
    FailedPrecondition,
    Invalid,
    LibraError,
    LimitReached,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from libra.rpc.channel_options import MAX_MESSAGE_CHARACTERS, MAX_METADATA_BYTES
from libra.rpc.errors import DETAILS_KEY, DOMAIN, RemoteFault, from_rpc_error, to_status

CODES = {code.value[0]: code for code in grpc.StatusCode}


def received(status: status_pb2.Status, *, details: bool = True) -> grpc.aio.AioRpcError:
    """Return `status` as a client's gRPC raises it."""
    trailing = grpc.aio.Metadata((DETAILS_KEY, status.SerializeToString())) if details else grpc.aio.Metadata()
    return grpc.aio.AioRpcError(CODES[status.code], grpc.aio.Metadata(), trailing, details=status.message)


@pytest.mark.parametrize("error_type", [Invalid, NotFound, Conflict, FailedPrecondition, PermissionDenied])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), field=st.text("abc_.[]0", max_size=40))
def test_a_callers_error_survives_the_round_trip(error_type: type[CallerError], text: str, field: str) -> None:
    returned = from_rpc_error(received(to_status(error_type(text, field=field), "r")), "S/M")
    assert type(returned) is error_type
    assert isinstance(returned, CallerError)
    assert (returned.message, returned.field) == (text, field)


def test_a_reached_limit_says_when_the_call_can_be_repeated() -> None:
    returned = from_rpc_error(received(to_status(LimitReached("too many", retry_after_seconds=90.5), "r")), "S/M")
    assert isinstance(returned, LimitReached)
    assert (returned.message, returned.retry_after_seconds) == ("too many", 90.5)
    assert CODES[to_status(returned, "r").code] == grpc.StatusCode.RESOURCE_EXHAUSTED


@given(text=st.text(max_size=3000), field=st.text(max_size=3000))
def test_a_status_always_fits_into_the_metadata(text: str, field: str) -> None:
    status = to_status(NotFound(text, field=field), "r")
    percent_encoded = 3 * len(status.message.encode())
    assert len(status.message) <= MAX_MESSAGE_CHARACTERS
    assert percent_encoded + len(status.SerializeToString()) < 2 * MAX_METADATA_BYTES


def test_a_subclass_has_the_status_of_its_parent() -> None:
    class NoSuchThing(NotFound):
        """An error of some package."""

    status = to_status(NoSuchThing("nothing"), "r")
    assert CODES[status.code] == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    "bug", [KeyError("secret"), LibraError("secret"), RemoteFault("secret"), MemoryError("secret")]
)
def test_a_bug_is_hidden(bug: Exception) -> None:
    status = to_status(bug, "the-request")
    assert b"secret" not in status.SerializeToString()
    assert "the-request" in status.message
    assert isinstance(from_rpc_error(received(status), "S/M"), RemoteFault)


def test_error_info_of_another_domain_is_ignored() -> None:
    status = status_pb2.Status(code=5, message="who knows")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="NOT_FOUND", domain="other.example"))
    assert DOMAIN != "other.example"
    assert isinstance(from_rpc_error(received(status), "S/M"), NotFound | RemoteFault)


@pytest.mark.parametrize("code", list(grpc.StatusCode))
def test_every_code_without_details_becomes_an_error_of_libra(code: grpc.StatusCode) -> None:
    status = status_pb2.Status(code=code.value[0], message="words")
    error = from_rpc_error(received(status, details=False), "RunService/GetRun")
    assert isinstance(error, CallerError | Unavailable | RemoteFault)
    assert "words" in str(error)


def test_an_unreachable_service_is_named() -> None:
    status = status_pb2.Status(code=grpc.StatusCode.UNAVAILABLE.value[0], message="Connection refused")
    error = from_rpc_error(received(status, details=False), "RunService/GetRun")
    assert isinstance(error, Unavailable)
    assert "RunService/GetRun cannot be reached" in str(error)
