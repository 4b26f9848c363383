"""The hosts that API keys are bound to. It contains names of keys, never a key."""

from __future__ import annotations

import contextlib

from pymongo.errors import DuplicateKeyError

from libra.core.errors import Unavailable
from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document
from libra.store.error_translation import Database, ErrorTranslator


class KeyHostCollection:
    """Stores, for each variable or file, the target for which it was first named. No entry is changed or deleted."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.KEY_HOSTS]
        self._translate_errors = translate_errors

    async def find_team(self, source: str) -> str | None:
        """Return the team for whose model a key was named first; None for a key that no model has named."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": source}, {"team": 1})
        return str(document.get("team", "")) if document else None

    async def bind(self, source: str, target: str, team: str = "") -> str:
        """Return the target of a key; the first call of all binds the key to `target`, and gives it to `team`."""
        this: Document = {"_id": source}
        owned = {"team": team} if team else {}
        with self._translate_errors():
            document = await self._collection.find_one(this)
            if document is None:
                with contextlib.suppress(DuplicateKeyError):  # another call was faster
                    await self._collection.insert_one(this | {"target": target, "create_time": now()} | owned)
                    return target
                document = await self._collection.find_one(this)
        if document is None:
            raise Unavailable("the hosts of API keys are not readable yet; try again")
        return str(document["target"])
