"""The audit log: one chain of entries, which all replicas of all services append to."""

from __future__ import annotations

import asyncio

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import DuplicateKeyError

from libra.commitment.audit_chain import seal
from libra.core.errors import Unavailable
from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.documents.team_filter import changeable
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.audit_log_pb2 import AuditEntry

HEAD = "head"
"""The id of the document with the highest position."""

MAX_ATTEMPTS = 100
"""An append that loses this often against other replicas is given up."""

RETRY_SECONDS = 0.005
IS_ENTRY = {"$type": "number"}


class AuditLogCollection:
    """Stores each entry under its position: of two replicas that append at the same position, one loses and retries."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.AUDIT_LOG]
        self._translate_errors = translate_errors
        self._last: AuditEntry | None = None
        self._lock = asyncio.Lock()

    async def append(self, entry: AuditEntry) -> None:
        """Store the entry as the last one of the log."""
        async with self._lock:
            for _ in range(MAX_ATTEMPTS):
                if await self._append_once(entry):
                    return
                await asyncio.sleep(RETRY_SECONDS)
        raise Unavailable("the audit log is written to by too many callers; try again")

    async def list(self, *, after_seq: int, limit: int) -> list[AuditEntry]:
        """Return entries after a position, the oldest first; for a caller of a team, those of its team."""
        with self._translate_errors():
            found = (
                self._collection.find({"_id": {"$gt": after_seq}} | changeable()).sort("_id", ASCENDING).limit(limit)
            )
            return [_entry(document) async for document in found]

    async def head_seq(self) -> int:
        """Return the highest position that the log is known to have reached."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": HEAD})
        return int(document["seq"]) if document else 0

    async def _append_once(self, entry: AuditEntry) -> bool:
        """Store the entry after the last one; return False if another replica has used its position."""
        last = self._last or await self._load_last()
        entry.time.FromDatetime(now())
        sealed = seal(entry, last.seq + 1, last.hash)
        self._last = None
        with self._translate_errors():
            try:
                await self._collection.insert_one({"_id": sealed.seq} | to_document(sealed))
            except DuplicateKeyError:
                return False
            self._last = sealed
            await self._collection.update_one({"_id": HEAD}, {"$max": {"seq": sealed.seq}}, upsert=True)
        return True

    async def _load_last(self) -> AuditEntry:
        with self._translate_errors():
            document = await self._collection.find_one({"_id": IS_ENTRY}, sort=[("_id", DESCENDING)])
        return _entry(document) if document else AuditEntry()


def _entry(document: Document) -> AuditEntry:
    return from_document(AuditEntry(), document)
