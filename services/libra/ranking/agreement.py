"""How far the members of a panel agree in a run, task by task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from libra.errors import NotFound
from libra.statistics.agreement import alpha
from libra.store.cells import Cell
from libra.store.client import Store
from libra.v1.ranking_pb2 import Agreement, GetAgreementResponse
from libra.v1.verdict_pb2 import JudgeVersion, Verdict

PANEL = "panel"
VOTES = "votes"
"""The field of a verdict in which the judge of that name keeps the votes of its members, as "1,1,0,-"."""

NO_VOTE = "-"
FEWEST_VOTES = 2
PAGE_VERDICTS = 2000

Votes = tuple[float | None, ...]


@dataclass(slots=True)
class Ballots:
    """The votes of one panel on the answers of one task."""

    judge: JudgeVersion
    votes: list[Votes] = field(default_factory=list)
    """Of each answer that has at least two."""

    def add(self, verdict: Verdict) -> None:
        """Take in the votes of a verdict, if there are enough to agree or not."""
        votes = tuple(map(_vote, verdict.fields[VOTES].split(",")))
        if len(votes) - votes.count(None) >= FEWEST_VOTES:
            self.votes.append(votes)

    def agreement(self, task: str) -> Agreement:
        """Return how far they agree; alpha is not set if all votes are the same."""
        valid = [[vote for vote in votes if vote is not None] for votes in self.votes]
        unanimous = sum(len(set(votes)) == 1 for votes in valid)
        return Agreement(
            task=task,
            judge=self.judge,
            answers=len(valid),
            votes=sum(map(len, valid)),
            alpha=alpha(self.votes),
            unanimous=unanimous / len(valid) if valid else 0.0,
        )


class Agreements:
    """Reads the votes of a run's panels, a page at a time; each answer costs some bytes of memory."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, run: str) -> GetAgreementResponse:
        """Return the agreement of each task that a panel judged, in order of task; NotFound if there is no such run."""
        if await self._store.runs.get_state(run) is None:
            raise NotFound.run(run, field="run")
        ballots: dict[tuple[str, str, str], Ballots] = {}
        for cell in await self._store.cells.list_for_runs([run]):
            if any(name == PANEL for name, _, _ in cell.judges):
                await self._count(cell, ballots)
        return GetAgreementResponse(agreements=[ballots[key].agreement(key[0]) for key in sorted(ballots)])

    async def _count(self, cell: Cell, ballots: dict[tuple[str, str, str], Ballots]) -> None:
        after = ""
        while page := await self._page(cell, after):
            for verdict in page:
                if verdict.judge.name == PANEL and VOTES in verdict.fields:
                    key = (cell.task, verdict.judge.version, verdict.judge.rubric_hash)
                    ballots.setdefault(key, Ballots(verdict.judge)).add(verdict)
            after = page[-1].id

    async def _page(self, cell: Cell, after: str) -> Sequence[Verdict]:
        return await self._store.verdicts.list(
            cell.run, model=cell.model, task=cell.task, attack=cell.attack, after=after, limit=PAGE_VERDICTS
        )


def _vote(word: str) -> float | None:
    return None if word == NO_VOTE else float(word)
