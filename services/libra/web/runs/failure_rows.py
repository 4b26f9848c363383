"""Prepares the failures of a run for its page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from libra.cli.render.format import one_line
from libra.core.outcome_names import outcome_name
from libra.core.sealed.sealing import WITHHELD
from libra.v1.ranking_pb2 import FailureGroup
from libra.web.transcript.verdict_filters import verdict_url, verdicts_url

EXAMPLE_CHARACTERS = 300
MODELS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class FailureRow:
    """Trials that failed, or that no judge could decide, for the same reason."""

    outcome: str
    reason: str
    example: str
    count: int
    models: str
    trials_url: str
    example_url: str


def to_rows(run: str, groups: Iterable[FailureGroup]) -> list[FailureRow]:
    """Return the groups with the addresses of their trials."""
    return [_to_row(run, group) for group in groups]


def _to_row(run: str, group: FailureGroup) -> FailureRow:
    outcome = outcome_name(group.outcome)
    filters = {"outcome": outcome}
    if group.reason not in {"", WITHHELD}:
        filters["reason"] = group.reason
    names = list(group.models[:MODELS_SHOWN])
    more = len(group.models) - len(names)
    return FailureRow(
        outcome=outcome,
        reason=group.reason or "(no reason was given)",
        example=one_line(group.example_reason, EXAMPLE_CHARACTERS),
        count=group.count,
        models=", ".join(names) + (f" and {more} more" if more else ""),
        trials_url=verdicts_url(run, **filters),
        example_url=verdict_url(group.example),
    )
