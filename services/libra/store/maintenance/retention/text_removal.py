"""Applies a retention rule in small batches, each of which may be repeated."""

from __future__ import annotations

from dataclasses import dataclass

from libra.store.documents.proto_documents import Document
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.maintenance.retention.policy import RetentionRule

BATCH_DOCUMENTS = 1_000
"""The most that one request reads: there is no index by time, so a pass reads a collection once, in order of ids."""


@dataclass(frozen=True, slots=True)
class RemovalStep:
    """The result of one batch."""

    last: str
    """The id to go on after; "" at the end of the collection."""

    changed: int


class TextRemoval:
    """Removes the texts that a rule selects, or counts them."""

    def __init__(
        self, database: Database, translate_errors: ErrorTranslator, batch_documents: int = BATCH_DOCUMENTS
    ) -> None:
        self._database, self._translate_errors, self._batch_documents = database, translate_errors, batch_documents

    async def count(self, rule: RetentionRule) -> int:
        """Return how many documents the rule would change."""
        with self._translate_errors():
            return await self._database[rule.collection].count_documents(rule.selector)

    async def apply(self, rule: RetentionRule) -> int:
        """Apply the rule to the whole collection; return how many documents were changed."""
        step = await self.apply_batch(rule, "")
        changed = step.changed
        while step.last:
            step = await self.apply_batch(rule, step.last)
            changed += step.changed
        return changed

    async def apply_batch(self, rule: RetentionRule, after: str) -> RemovalStep:
        """Apply the rule to the next documents after an id, "" at first."""
        collection = self._database[rule.collection]
        query: Document = {"_id": {"$gt": after}}
        with self._translate_errors():
            found = collection.find(query, {"_id": 1}).sort("_id", 1).limit(self._batch_documents)
            ids = [document["_id"] async for document in found]
            if not ids:
                return RemovalStep("", 0)
            selected = {"_id": {"$gt": after, "$lte": ids[-1]}, **rule.selector}
            result = await collection.update_many(selected, rule.change)
        return RemovalStep(str(ids[-1]), result.modified_count)
