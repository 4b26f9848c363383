"""Answers ReportFailures: groups the FAILED and UNJUDGED verdicts of a run by their reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from libra.core.errors import NotFound
from libra.core.sealed.sealing import WITHHELD
from libra.ranking.verdicts.failure_reasons import normalize_reason
from libra.store.client import Store
from libra.store.reports.verdict_search import ReasonCount
from libra.v1.ranking_pb2 import FailureGroup, ReportFailuresResponse
from libra.v1.verdict_pb2 import Outcome

MAX_GROUPS = 100


class FailureReader:
    """Answers ReportFailures from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def report(self, run: str) -> ReportFailuresResponse:
        """Return the groups. Raises NotFound for an unknown run."""
        if await self._store.runs.get_state(run) is None:
            raise NotFound.run(run, field="run")
        counts = await self._store.verdict_search.count_reasons(run)
        sealed = await self._store.seals.find_sealed_tasks({each.task for each in counts})
        groups = group_reasons(counts, sealed)
        cells = await self._store.cells.list_for_runs([run])
        failures = sum(cell.failed + cell.unjudged for cell in cells)
        shown = groups[:MAX_GROUPS]
        return ReportFailuresResponse(groups=shown, left_out=max(0, failures - sum(each.count for each in shown)))


def group_reasons(counts: Sequence[ReasonCount], sealed_tasks: set[str]) -> list[FailureGroup]:
    """Return the groups, the largest first. The reasons of sealed tasks are withheld."""
    members: defaultdict[tuple[int, str], list[ReasonCount]] = defaultdict(list)
    for each in counts:
        reason = WITHHELD if each.task in sealed_tasks else normalize_reason(each.reason)
        members[each.outcome, reason].append(each)
    groups = [_build_group(outcome, reason, found) for (outcome, reason), found in members.items()]
    return sorted(groups, key=lambda group: (-group.count, group.example))


def _build_group(outcome: int, reason: str, members: Sequence[ReasonCount]) -> FailureGroup:
    first = min(members, key=lambda each: each.example)
    return FailureGroup(
        outcome=Outcome.ValueType(outcome),
        reason=reason,
        count=sum(each.count for each in members),
        example=first.example,
        example_reason="" if reason == WITHHELD else first.reason,
        models=sorted({each.model for each in members}),
    )
