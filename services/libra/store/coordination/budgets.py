"""The ledgers of budgets: one document for each run with a budget, and for each day of a model with a ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pymongo.errors import DuplicateKeyError

from libra.core.errors import Unavailable
from libra.core.spending.budget_ledger import Amount, Entry, Ledger
from libra.store import indexes
from libra.store.documents.proto_documents import Document
from libra.store.error_translation import Database, ErrorTranslator

MAX_WRITES = 20
"""Writes in a row that lose against the gateways before a change of the limit is given up."""


class BudgetCollection:
    """Stores each ledger under its id, for instance its run's; every change names the version it was made from."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator, name: str = indexes.BUDGETS) -> None:
        self._collection = database[name]
        self._translate_errors = translate_errors

    async def add(self, run: str, ledger: Ledger) -> bool:
        """Store the ledger of a new run; return False if it has one."""
        with self._translate_errors():
            try:
                await self._collection.insert_one(ledger_to_document(run, ledger))
            except DuplicateKeyError:
                return False
        return True

    async def get(self, run: str) -> Ledger | None:
        """Return a run's ledger; None if it has no budget."""
        found = await self.read(run)
        return found[0] if found else None

    async def get_many(self, runs: Sequence[str]) -> dict[str, Ledger]:
        """Return the ledgers of those of the runs that have a budget, by run."""
        with self._translate_errors():
            found = self._collection.find({"_id": {"$in": list(runs)}})
            return {document["_id"]: ledger_from_document(document) async for document in found}

    async def read(self, run: str) -> tuple[Ledger, float] | None:
        """Return a run's ledger and the time of the server's clock, in seconds since 1970; None without a budget."""
        pipeline: list[Document] = [{"$match": {"_id": run}}, {"$set": {"now": "$$NOW"}}]
        with self._translate_errors():
            async for document in self._collection.aggregate(pipeline):
                return ledger_from_document(document), document["now"].timestamp()
        return None

    async def replace(self, run: str, ledger: Ledger, version: int) -> bool:
        """Replace the ledger if it still has this version; return whether it had."""
        query = {"_id": run, "version": version}
        with self._translate_errors():
            result = await self._collection.replace_one(query, ledger_to_document(run, ledger))
        return result.matched_count > 0

    async def set_limit(self, run: str, limit: Amount) -> None:
        """Change the limit of a ledger, if there is one, whatever was spent. Raises Unavailable."""
        for _ in range(MAX_WRITES):
            ledger = await self.get(run)
            if ledger is None or await self.replace(run, ledger.with_limit(limit), ledger.version):
                return
        raise Unavailable(f"the gateways write the ledger of {run} all the time; try again")


def ledger_to_document(run: str, ledger: Ledger) -> Document:
    """Return the document of a run's ledger."""
    entries = [
        {"holder": holder, "spent": asdict(entry.spent), "reserved": asdict(entry.reserved), "until": entry.until}
        for holder, entry in ledger.entries.items()
    ]
    return {
        "_id": run,
        "limit": asdict(ledger.limit),
        "written_off": asdict(ledger.written_off),
        "entries": entries,
        "exhausted": ledger.exhausted,
        "version": ledger.version,
        "peak_reserved": asdict(ledger.peak_reserved),
    }


def ledger_from_document(document: Document) -> Ledger:
    """Return the ledger that a document stores."""
    return Ledger(
        limit=Amount(**document["limit"]),
        written_off=Amount(**document["written_off"]),
        entries={each["holder"]: _to_entry(each) for each in document["entries"]},
        exhausted=document["exhausted"],
        version=document["version"],
        peak_reserved=Amount(**document.get("peak_reserved", {})),
    )


def _to_entry(document: Any) -> Entry:
    return Entry(Amount(**document["spent"]), Amount(**document["reserved"]), document["until"])
