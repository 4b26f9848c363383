"""Measures how far the members of a panel of judges agree in a run, task by task."""

from __future__ import annotations

from dataclasses import dataclass, field

from libra.core.errors import NotFound
from libra.ranking.verdicts.verdict_pages import read_cell_pages
from libra.statistics.agreement import krippendorff_alpha
from libra.store.client import Store
from libra.store.sums.cells import Cell
from libra.v1.ranking_pb2 import Agreement, GetAgreementResponse
from libra.v1.verdict_pb2 import JudgeVersion, Verdict

PANEL = "panel"
VOTES = "votes"
"""The field of a verdict in which the judge `panel` stores the votes of its members, as "1,1,0,-"."""

NO_VOTE = "-"
MIN_VOTES = 2

Votes = tuple[float | None, ...]


@dataclass(slots=True)
class PanelVotes:
    """The votes of one panel on the completions of one task."""

    judge: JudgeVersion
    votes: list[Votes] = field(default_factory=list)
    """The votes on each completion that has at least two."""

    def add(self, verdict: Verdict) -> None:
        """Add the votes of a verdict, if there are at least two."""
        votes = tuple(map(_parse_vote, verdict.fields[VOTES].split(",")))
        if len(votes) - votes.count(None) >= MIN_VOTES:
            self.votes.append(votes)

    def measure_agreement(self, task: str) -> Agreement:
        """Return how far the members agree; alpha is not set if all votes are the same."""
        valid = [[vote for vote in votes if vote is not None] for votes in self.votes]
        unanimous = sum(len(set(votes)) == 1 for votes in valid)
        return Agreement(
            task=task,
            judge=self.judge,
            answers=len(valid),
            votes=sum(map(len, valid)),
            alpha=krippendorff_alpha(self.votes),
            unanimous=unanimous / len(valid) if valid else 0.0,
        )


class AgreementReader:
    """Answers GetAgreement: reads the votes of a run's panels, with some bytes of memory for each completion."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get_agreement(self, run: str) -> GetAgreementResponse:
        """Return the agreement on each task with a panel, in order of task; raise NotFound for an unknown run."""
        if await self._store.runs.get_state(run) is None:
            raise NotFound.run(run, field="run")
        panels: dict[tuple[str, str, str], PanelVotes] = {}
        for cell in await self._store.cells.list_for_runs([run]):
            if any(name == PANEL for name, _, _ in cell.judges):
                await self._add_votes(cell, panels)
        return GetAgreementResponse(agreements=[panels[key].measure_agreement(key[0]) for key in sorted(panels)])

    async def _add_votes(self, cell: Cell, panels: dict[tuple[str, str, str], PanelVotes]) -> None:
        async for page in read_cell_pages(self._store, cell):
            for verdict in page:
                if verdict.judge.name == PANEL and VOTES in verdict.fields:
                    key = (cell.task, verdict.judge.version, verdict.judge.rubric_hash)
                    panels.setdefault(key, PanelVotes(verdict.judge)).add(verdict)


def _parse_vote(text: str) -> float | None:
    return None if text == NO_VOTE else float(text)
