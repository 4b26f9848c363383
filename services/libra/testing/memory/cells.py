"""The running sums, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libra.store import cell_sums, trial_ids
from libra.store.cells import CELL_KEY, COUNTS, Cell
from libra.store.proto_documents import Document
from libra.testing.memory.transport import MemoryClient
from libra.v1.run_pb2 import OutcomeCounts


class MemoryCells:
    """As `libra.store.cells.Cells`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._server = client, client.server

    async def list_for_runs(self, runs: Sequence[str], judging: int = 0) -> list[Cell]:
        """Return the cells of the runs, each summed over its buckets, in order of run, model, task and attack."""

        def gathered() -> list[Cell]:
            buckets: dict[tuple[str, ...], list[Document]] = {}
            for bucket in self._server.cells.values():
                if bucket["run"] in runs and bucket["judging"] == judging:
                    buckets.setdefault(tuple(bucket[name] for name in CELL_KEY), []).append(bucket)
            return [_cell(parts) for parts in buckets.values()]

        cells = await self._client.send(gathered)
        return sorted(cells, key=lambda cell: (cell.run, cell.model, cell.task, cell.attack))

    async def count_outcomes(self, run: str, judging: int = 0) -> dict[str, OutcomeCounts]:
        """Return how many verdicts of each model ended how; a model without any is left out."""
        counts: dict[str, OutcomeCounts] = {}
        for cell in await self.list_for_runs([run], judging):
            total = counts.setdefault(cell.model, OutcomeCounts())
            for name in COUNTS:
                setattr(total, name, getattr(total, name) + getattr(cell, name))
        return counts

    async def recount(
        self, run: str, judging: int, model: str, task: str, attack: str
    ) -> tuple[cell_sums.CellSums, cell_sums.CellSums]:
        """Return the sums of one cell as they are kept, and as its verdicts say, both of one and the same moment."""
        key = dict(zip(CELL_KEY, (run, judging, model, task, attack), strict=True))
        prefix = trial_ids.verdict_prefix(run, judging, model, task, attack)

        def both() -> tuple[cell_sums.CellSums, cell_sums.CellSums]:
            buckets = [cell for cell in self._server.cells.values() if key.items() <= cell.items()]
            counted = cell_sums.CellSums()
            for name, verdict in self._server.verdicts.items():
                if name.startswith(prefix):
                    counted.add(verdict["outcome"], verdict.get("score", 0.0))
            return cell_sums.read(_summed(buckets)), counted

        return await self._client.send(both)


def _summed(buckets: Sequence[Document]) -> dict[str, Any]:
    return {name: sum(bucket[name] for bucket in buckets) for name in cell_sums.SUM_FIELDS}


def _cell(buckets: Sequence[Document]) -> Cell:
    judges = {
        (judge.get("name", ""), judge.get("version", ""), judge.get("rubric_hash", ""))
        for bucket in buckets
        for judge in bucket["judges"]
    }
    named = {name: buckets[0][name] for name in CELL_KEY}
    category = max(bucket["category"] for bucket in buckets)
    return Cell(**named, category=category, judges=tuple(sorted(judges)), **_summed(buckets))
