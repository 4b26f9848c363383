"""Answers DrawSample: draws trials of a run and loads their prompts and answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

from libra.core.errors import FailedPrecondition, Invalid, NotFound
from libra.ranking.labels.label_draw import Draw, draw_trials
from libra.ranking.verdicts.completed_verdicts import add_completions
from libra.ranking.verdicts.verdict_pages import read_cell_pages
from libra.store.client import Store
from libra.store.documents import trial_ids
from libra.store.runs import RUNNING
from libra.store.sums.cells import Cell
from libra.v1.label_pb2 import DrawnTrial, DrawSampleRequest, DrawSampleResponse
from libra.v1.verdict_pb2 import Outcome, Verdict

MAX_SIZE = 10_000
MAX_RESPONSE_BYTES = 4 * 1024 * 1024
"""A response ends once it is larger. One trial alone is about 5 MiB at most."""

READ_VERDICTS = 64


class SampleReader:
    """Draws scored trials from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def draw(self, request: DrawSampleRequest) -> AsyncIterator[DrawSampleResponse]:
        """Yield the drawn trials in their order.

        Raises NotFound for an unknown run, FailedPrecondition for one that is not finished, whose trials are not all
        known, and Invalid for a bad field.
        """
        response, size = DrawSampleResponse(), 0
        for cell in await self._select_cells(request):
            draw = draw_trials(await read_scored_ids(self._store, cell), request.size)
            async for trial in self._load(cell, draw):
                response.trials.append(trial)
                size += trial.ByteSize()
                if size > MAX_RESPONSE_BYTES:
                    yield response
                    response, size = DrawSampleResponse(), 0
        if response.trials:
            yield response

    async def _select_cells(self, request: DrawSampleRequest) -> list[Cell]:
        state = await self._store.runs.get_state(request.run)
        if state is None:
            raise NotFound.run(request.run, field="run")
        if not 1 <= request.size <= MAX_SIZE:
            raise Invalid(f"{request.size} is not between 1 and {MAX_SIZE:,}", field="size")
        if state == RUNNING:
            raise FailedPrecondition(
                "the run is not finished: more answers will come, and a draw must be from all of them; draw again when "
                "it has ended",
                field="run",
            )
        cells = await self._store.cells.list_for_runs([request.run])
        return [cell for cell in cells if cell.scored and _is_selected(cell, request)]

    async def _load(self, cell: Cell, draw: Draw) -> AsyncIterator[DrawnTrial]:
        for start in range(0, len(draw.trials), READ_VERDICTS):
            ids = draw.trials[start : start + READ_VERDICTS]
            labels = await self._store.labels.get(ids)
            verdicts = await read_verdicts(self._store, cell, ids)
            await self._check_not_sealed(cell, verdicts.values())
            async for verdict in add_completions(self._store, [verdicts[trial] for trial in ids]):
                yield DrawnTrial(
                    verdict=verdict,
                    inclusion_probability=draw.inclusion_probability,
                    label=labels.get(verdict.id),
                )

    async def _check_not_sealed(self, cell: Cell, verdicts: Iterable[Verdict]) -> None:
        """Raise FailedPrecondition if a sample of these verdicts is sealed: a drawn trial shows its text."""
        sealed = await self._store.seals.find_sealed({cell.task: [verdict.sample for verdict in verdicts]})
        if sealed.get(cell.task):
            raise FailedPrecondition(
                f"samples of {cell.task} are sealed, because a round uses the task; draw from them when they are "
                "published",
                field="run",
            )


async def read_scored_ids(store: Store, cell: Cell) -> list[str]:
    """Return the ids of the cell's trials that a judge has scored."""
    pages = read_cell_pages(store, cell, outcome=Outcome.OUTCOME_SCORED, brief=True)
    return [verdict.id async for page in pages for verdict in page]


async def read_verdicts(store: Store, cell: Cell, ids: Sequence[str]) -> dict[str, Verdict]:
    """Return the verdicts of the cell with these ids, by id; those that do not exist are left out."""
    parsed = [trial_ids.parse_verdict_id(each) for each in ids]
    trials = [(each.sample, each.epoch) for each in parsed]
    found = await store.verdicts.get_by_trial(cell.run, cell.model, cell.task, cell.attack, trials)
    return {verdict.id: verdict for verdict in found.values()}


def _is_selected(cell: Cell, request: DrawSampleRequest) -> bool:
    names = {cell.task, cell.task.partition("@")[0]}
    return (
        request.model in {"", cell.model}
        and request.attack in {"", cell.attack}
        and (not request.task or request.task in names)
    )
