"""The running sums, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libra.core.gold_labels import GOLD_LABEL_FIELD
from libra.core.outcome_names import OUTCOMES
from libra.core.response_names import RESPONSE_FIELD, sum_responses
from libra.store.documents import trial_ids
from libra.store.documents.proto_documents import Document, find_pair
from libra.store.sums.cell_sums import ALL_FIELDS, CellSums
from libra.store.sums.cells import CELL_KEY, Cell, merge_judges
from libra.store.sums.label_sums import merge_labels
from libra.testing.memory.transport import MemoryClient
from libra.v1.run_pb2 import OutcomeCounts, ResponseCounts


class MemoryCells:
    """The twin of `libra.store.sums.cells.CellCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._server = client, client.server

    async def list_for_runs(self, runs: Sequence[str], judging: int = 0, *, models: Sequence[str] = ()) -> list[Cell]:
        """Return the cells of the runs, or of some of their models, in order of run, model, task and attack."""

        def sum_buckets() -> list[Cell]:
            cells: dict[tuple[str, ...], list[Document]] = {}
            for bucket in self._server.cells.values():
                is_selected = not models or bucket["model"] in models
                if bucket["run"] in runs and bucket["judging"] == judging and is_selected:
                    cells.setdefault(tuple(bucket[name] for name in CELL_KEY), []).append(bucket)
            return [_cell_from_buckets(buckets) for buckets in cells.values()]

        cells = await self._client.send(sum_buckets)
        return sorted(cells, key=lambda cell: cell.key)

    async def count_outcomes(self, run: str, judging: int = 0) -> dict[str, OutcomeCounts]:
        """Return the number of verdicts of each outcome, by model; a model without verdicts is left out."""
        counts: dict[str, OutcomeCounts] = {}
        for cell in await self.list_for_runs([run], judging):
            total = counts.setdefault(cell.model, OutcomeCounts())
            for name in OUTCOMES:
                setattr(total, name, getattr(total, name) + getattr(cell, name))
        return counts

    async def count_responses(self, run: str, judging: int = 0) -> dict[str, ResponseCounts]:
        """Return the number of verdicts by what came back, by model; a model without verdicts is left out."""
        cells = await self.list_for_runs([run], judging)
        models = dict.fromkeys(cell.model for cell in cells)
        return {model: sum_responses(cell for cell in cells if cell.model == model) for model in models}

    async def recount(self, run: str, judging: int, model: str, task: str, attack: str) -> tuple[CellSums, CellSums]:
        """Return the stored sums of one cell and the sums over its verdicts, both from one snapshot."""
        key = dict(zip(CELL_KEY, (run, judging, model, task, attack), strict=True))
        prefix = trial_ids.verdict_prefix(run, judging, model, task, attack)

        def sum_both() -> tuple[CellSums, CellSums]:
            buckets = [cell for cell in self._server.cells.values() if key.items() <= cell.items()]
            stored, counted = (
                CellSums.from_document(_sum_fields(buckets) | {"labels": _label_buckets(buckets)}),
                CellSums(),
            )
            for name, verdict in self._server.verdicts.items():
                if name.startswith(prefix):
                    response = find_pair(verdict, "fields", RESPONSE_FIELD)
                    label = find_pair(verdict, "fields", GOLD_LABEL_FIELD) if stored.labels else ""
                    counted.add(verdict["outcome"], verdict.get("score", 0.0), response, label)
            return stored, counted

        return await self._client.send(sum_both)


def _sum_fields(buckets: Sequence[Document]) -> dict[str, Any]:
    return {name: sum(bucket.get(name, 0) for bucket in buckets) for name in ALL_FIELDS}


def _cell_from_buckets(buckets: Sequence[Document]) -> Cell:
    judges = merge_judges([bucket["judges"] for bucket in buckets])
    key = {name: buckets[0][name] for name in CELL_KEY}
    category = max(bucket["category"] for bucket in buckets)
    labels = merge_labels(_label_buckets(buckets))
    return Cell(**key, category=category, judges=judges, labels=labels, **_sum_fields(buckets))


def _label_buckets(buckets: Sequence[Document]) -> list[Document]:
    return [bucket["labels"] for bucket in buckets if "labels" in bucket]
