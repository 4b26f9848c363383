"""The difference of two models, or of two runs of one, on the samples that both have a score of."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from libra.contracts.categories import category_name
from libra.ranking.board.board import SAFETY
from libra.ranking.comparison.pairing import Pair
from libra.ranking.comparison.score_difference import Gap, gap
from libra.statistics import paired_tests
from libra.statistics.influence import average, external_score
from libra.statistics.overall import by_distance
from libra.statistics.score import Score
from libra.v1.ranking_pb2 import Capability, Comparison
from libra.v1.task_pb2 import Category

MCNEMAR, PERMUTATION, NORMAL = "mcnemar", "permutation", "normal"
SEED = 0
"""Of the choices of signs that a permutation test draws: the same verdicts have the same p."""


@dataclass(frozen=True, slots=True)
class Both:
    """One score of both, and the samples it stands on."""

    one: Score
    other: Score
    samples: frozenset[tuple[str, int]]
    """The task as "name@version", and the ordinal: a sample under several attacks is one."""


def of_tasks(pairs: Sequence[Pair]) -> list[Comparison]:
    """Return the comparison on each task, plain or under attack, with Holm's correction over all of them."""
    made = []
    for pair in pairs:
        test, p = tested(pair)
        comparison = _comparison(pair.label, of_pair(pair), test)
        comparison.p = p
        made.append(comparison)
    for comparison, p_holm in zip(made, paired_tests.holm([each.p for each in made]), strict=True):
        comparison.p_holm = p_holm
    return made


def tested(pair: Pair) -> tuple[str, float]:
    """Return the test of a task and its two-sided p.

    McNemar's, exact, where each sample has one trial on either side and every score is 0 or 1; else the signs of the
    differences of the samples' means are permuted.
    """
    if pair.binary:
        gained = sum(one > other for one, other in zip(pair.one.sums, pair.other.sums, strict=True))
        lost = sum(one < other for one, other in zip(pair.one.sums, pair.other.sums, strict=True))
        return MCNEMAR, paired_tests.mcnemar(gained, lost)
    means = zip(pair.one.sums, pair.one.counts, pair.other.sums, pair.other.counts, strict=True)
    differences = [one / trials - other / others for one, trials, other, others in means]
    return PERMUTATION, paired_tests.permutation(differences, SEED)


def of_scores(
    pairs: Sequence[Pair], figures: tuple[Capability | None, Capability | None], *, same_model: bool
) -> list[Comparison]:
    """Return the comparison of Overall, Safety, Capability and the categories, where both have them.

    Means are unweighted at each step, as on the board, but over what the two share. Capability is that of shared tasks or,
    without any, of two imported figures on one scale.
    """
    by_category = _by_category(pairs)
    safe = {category: both for category, both in by_category.items() if category in SAFETY}
    safety = _average(safe.values())
    capability = by_category.get(Category.CATEGORY_CAPABILITY) or imported(*figures, same_model=same_model)
    overall = None
    if safety and capability:
        overall = Both(
            by_distance(capability.one, safety.one),
            by_distance(capability.other, safety.other),
            safety.samples | capability.samples,
        )
    named = [("overall", overall), ("safety", safety), ("capability", capability)]
    named += [(category_name(category), both) for category, both in sorted(safe.items())]
    return [_comparison(what, both, NORMAL) for what, both in named if both is not None]


def imported(one: Capability | None, other: Capability | None, *, same_model: bool) -> Both | None:
    """Return two imported figures; None without both, or if their scales differ.

    Of one and the same model they are one figure: whatever its error, it is the same on both sides.
    """
    if one is None or other is None or (one.scale, one.zero, one.one) != (other.scale, other.zero, other.one):
        return None
    if same_model:
        known = external_score(one.value, 0.0)
        return Both(known, known, frozenset())
    return Both(_figure(one), _figure(other), frozenset())


def of_pair(pair: Pair) -> Both:
    """Return a task's score of both."""
    one, other = pair.scores
    return Both(one, other, frozenset((pair.task, ordinal) for ordinal in pair.one.ordinals))


def _figure(figure: Capability) -> Score:
    return external_score(figure.value, figure.standard_error if figure.HasField("standard_error") else None)


def _by_category(pairs: Iterable[Pair]) -> Mapping[int, Both]:
    groups: defaultdict[int, list[Both]] = defaultdict(list)
    for pair in pairs:
        groups[pair.category].append(of_pair(pair))
    return {category: both for category, group in groups.items() if (both := _average(group))}


def _average(parts: Iterable[Both]) -> Both | None:
    known = list(parts)
    if not known:
        return None
    return Both(
        average([part.one for part in known]),
        average([part.other for part in known]),
        frozenset().union(*(part.samples for part in known)),
    )


def _comparison(what: str, both: Both, test: str) -> Comparison:
    found: Gap = gap(both.one, both.other)
    return Comparison(
        what=what,
        samples=len(both.samples),
        score=both.one.value,
        other_score=both.other.value,
        difference=found.estimate,
        test=test,
        p=found.p,
        detectable=found.detectable,
    )


def unchanged(pairs: Sequence[Pair]) -> bool:
    """Tell whether every shared sample of every task has the same score on both sides."""
    return all(
        math.isclose(one * others, other * trials)
        for pair in pairs
        for one, trials, other, others in zip(
            pair.one.sums, pair.one.counts, pair.other.sums, pair.other.counts, strict=True
        )
    )
