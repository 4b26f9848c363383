"""Battles whose prompts reviewers propose for the next round."""

from __future__ import annotations

from pymongo import ReturnDocument

from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.arena_pb2 import Proposal

MAX_LISTED = 1_000


class ProposalCollection:
    """Stores one proposal for each battle; the first one stays."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.PROPOSALS]
        self._translate_errors = translate_errors

    async def add(self, proposal: Proposal) -> Proposal:
        """Store a proposal; return it, or the earlier one about the same battle."""
        document = {name: value for name, value in to_document(proposal).items() if name != "battle"}
        with self._translate_errors():
            stored = await self._collection.find_one_and_update(
                {"_id": proposal.battle},
                {"$setOnInsert": document | {"create_time": now()}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        return _from_stored(stored)

    async def list(self) -> list[Proposal]:
        """Return the proposals, the newest first."""
        with self._translate_errors():
            found = self._collection.find().sort("create_time", -1).limit(MAX_LISTED)
            return [_from_stored(document) async for document in found]


def _from_stored(document: Document) -> Proposal:
    return from_document(Proposal(battle=document["_id"]), document)
