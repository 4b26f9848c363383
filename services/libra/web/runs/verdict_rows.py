"""Prepares verdicts for a table: their score, their reason, and excerpts around a text that was searched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libra.cli.render.format import enum_name, one_line
from libra.core.outcome_names import outcome_name
from libra.v1.ranking_pb2 import ListVerdictsResponse, TextExcerpt, TextPlace
from libra.v1.verdict_pb2 import OUTCOME_FILTERED, OUTCOME_SCORED, Verdict
from libra.web.transcript.verdict_details import HARMFUL
from libra.web.transcript.verdict_filters import VerdictFilters

RATIONALE_CHARACTERS = 240
REASON = "reason"


@dataclass(frozen=True, slots=True)
class ShownExcerpt:
    """An excerpt around a text that was searched."""

    place: str
    before: str
    hit: str
    after: str


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A verdict in the table."""

    verdict: Verdict
    url: str
    run: str
    """The name of its run, or its id."""

    task: str
    outcome: str
    score: str
    rationale: str
    excerpts: Sequence[ShownExcerpt]
    is_hidden: bool
    """Whether its texts are hidden until the reader asks for them."""

    @property
    def has_excerpt_of_reason(self) -> bool:
        """Whether the judge's reason is shown as an excerpt."""
        return any(each.place == REASON for each in self.excerpts)


def to_rows(
    page: ListVerdictsResponse, filters: VerdictFilters, run_names: Mapping[str, str] | None = None
) -> list[VerdictRow]:
    """Return the rows of the table."""
    excerpts: defaultdict[str, list[ShownExcerpt]] = defaultdict(list)
    for each in page.excerpts:
        excerpts[each.verdict].append(to_excerpt(each))
    names = run_names or {}
    return [
        VerdictRow(
            verdict=verdict,
            url=filters.verdict_url(verdict.id),
            run=names.get(verdict.run) or verdict.run,
            task=verdict.task.partition("@")[0],
            outcome=outcome_name(verdict.outcome),
            score=score_text(verdict),
            rationale=one_line(verdict.rationale, RATIONALE_CHARACTERS),
            excerpts=excerpts[verdict.id],
            is_hidden=verdict.category in HARMFUL and not filters.shows_text,
        )
        for verdict in page.verdicts
    ]


def to_excerpt(excerpt: TextExcerpt) -> ShownExcerpt:
    """Return an excerpt with the name of its place; line ends become spaces."""
    place = enum_name(TextPlace, excerpt.place, "TEXT_PLACE_")
    return ShownExcerpt(place, *(" ".join(part.splitlines()) for part in (excerpt.before, excerpt.hit, excerpt.after)))


def score_text(verdict: Verdict) -> str:
    """Return the score in two decimals; empty for a verdict without one."""
    return f"{verdict.score:.2f}" if verdict.outcome in {OUTCOME_SCORED, OUTCOME_FILTERED} else ""
