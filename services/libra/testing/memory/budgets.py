"""The ledgers of run budgets, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from libra.core.spending.budget_ledger import Amount, Ledger
from libra.store.coordination.budgets import ledger_from_document, ledger_to_document
from libra.store.documents.proto_documents import Document
from libra.testing.memory.transport import MemoryClient


class MemoryBudgets:
    """The twin of `libra.store.coordination.budgets.BudgetCollection`."""

    def __init__(self, client: MemoryClient, stored: dict[str, Document]) -> None:
        """`stored` is the collection of the server."""
        self._client, self._server, self._stored = client, client.server, stored

    async def add(self, run: str, ledger: Ledger) -> bool:
        """Store the ledger of a new run; return False if it has one."""
        document = ledger_to_document(run, ledger)
        return await self._client.send(lambda: self._stored.setdefault(run, document) is document)

    async def get(self, run: str) -> Ledger | None:
        """Return a run's ledger; None if it has no budget."""
        found = await self.read(run)
        return found[0] if found else None

    async def get_many(self, runs: Sequence[str]) -> dict[str, Ledger]:
        """Return the ledgers of those of the runs that have a budget, by run."""
        stored = self._stored
        return await self._client.send(
            lambda: {run: ledger_from_document(stored[run]) for run in runs if run in stored}
        )

    async def read(self, run: str) -> tuple[Ledger, float] | None:
        """Return a run's ledger and the time of the server's clock, in seconds since 1970; None without a budget."""

        def find() -> list[tuple[Ledger, float]]:
            stored = self._stored
            return [(ledger_from_document(stored[run]), self._server.now().timestamp())] if run in stored else []

        found = await self._client.send(find)
        return found[0] if found else None

    async def replace(self, run: str, ledger: Ledger, version: int) -> bool:
        """Replace the ledger if it still has this version; return whether it had."""
        document = ledger_to_document(run, ledger)

        def replace() -> bool:
            stored = self._stored.get(run)
            if stored is None or stored["version"] != version:
                return False
            self._stored[run] = document
            return True

        return await self._client.send(replace)

    async def set_limit(self, run: str, limit: Amount) -> None:
        """Change the limit of a ledger, if there is one, whatever was spent."""
        while (ledger := await self.get(run)) is not None:
            if await self.replace(run, ledger.with_limit(limit), ledger.version):
                return
