"""The hosts that API keys are bound to. It contains names of keys, never a key."""

from __future__ import annotations

import contextlib

from pymongo.errors import DuplicateKeyError

from libra.core.errors import Unavailable
from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.error_translation import Database, ErrorTranslator


class KeyHostCollection:
    """Stores, for each variable or file, the target for which it was first named. No entry is changed or deleted."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.KEY_HOSTS]
        self._translate_errors = translate_errors

    async def bind(self, source: str, target: str) -> str:
        """Return the target that a key is bound to; the first call of all binds it to `target`."""
        this = {"_id": source}
        with self._translate_errors():
            document = await self._collection.find_one(this)
            if document is None:
                with contextlib.suppress(DuplicateKeyError):  # another call was faster
                    await self._collection.insert_one(this | {"target": target, "create_time": now()})
                    return target
                document = await self._collection.find_one(this)
        if document is None:
            raise Unavailable("the hosts of API keys are not readable yet; try again")
        return str(document["target"])
