"""Compares two models, or two runs of one model, on the samples for which both have a score."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from libra.core.category_names import category_name
from libra.ranking.board.board import CAPABILITY, SAFETY_CATEGORIES
from libra.ranking.board.scores import score_figure
from libra.ranking.comparison.pairing import ComparisonSide, TaskPair, pair_tasks
from libra.ranking.comparison.score_difference import compare_scores
from libra.statistics import paired_tests
from libra.statistics.influence import average, external_score
from libra.statistics.overall import by_distance
from libra.statistics.score import Score
from libra.v1.ranking_pb2 import Capability, CompareModelsResponse, Comparison

MCNEMAR, PERMUTATION, NORMAL = "mcnemar", "permutation", "normal"
SEED = 0
"""The seed of the permutation test, so that the same verdicts always have the same p."""

Figures = tuple[Capability | None, Capability | None]
"""The imported capability figure of each side."""


@dataclass(frozen=True, slots=True)
class ScorePair:
    """A score of each side, and the samples of the two."""

    one: Score
    other: Score
    samples: frozenset[tuple[str, int]]
    """The task as "name@version", and the ordinal: a sample under several attacks is one."""


def compare_sides(
    one: ComparisonSide, other: ComparisonSide, figures: Figures, *, same_model: bool
) -> CompareModelsResponse:
    """Return the comparison of two sides, with notes on what was not compared."""
    pairs, notes = pair_tasks(one, other)
    response = CompareModelsResponse(
        summary=compare_means(pairs, figures, same_model=same_model), tasks=compare_tasks(pairs), notes=notes
    )
    if not any(comparison.what == "overall" for comparison in response.summary):
        response.notes.append(
            "Overall is not compared: the two share no safety task, "
            "or neither a capability task nor figures on one scale"
        )
    single_sample = [pair.label for pair in pairs if len(pair.one.ordinals) == 1]
    if single_sample:
        response.notes.append(f"no interval, since there is only one sample: {', '.join(single_sample)}")
    if pairs and same_model and has_equal_scores(pairs):
        response.notes.append(
            "every sample has the same score in both: unless a run is fresh, its answers are the stored ones"
        )
    return response


def compare_tasks(pairs: Sequence[TaskPair]) -> list[Comparison]:
    """Return the comparison on each task, plain or under attack, with Holm's correction over all of them."""
    comparisons = []
    for pair in pairs:
        test, p = choose_test(pair)
        comparison = _compare(pair.label, score_task(pair), test)
        comparison.p = p
        comparisons.append(comparison)
    for comparison, p_holm in zip(comparisons, paired_tests.holm([each.p for each in comparisons]), strict=True):
        comparison.p_holm = p_holm
    return comparisons


def choose_test(pair: TaskPair) -> tuple[str, float]:
    """Return the name of the test for a task, and its two-sided p.

    The exact test of McNemar where each sample has one trial on either side and every score is 0 or 1; otherwise a
    permutation of the signs of the differences of the samples' means, each with its weight in a balanced score.
    """
    if pair.is_binary and not pair.one.labels:
        gained = sum(one > other for one, other in zip(pair.one.sums, pair.other.sums, strict=True))
        lost = sum(one < other for one, other in zip(pair.one.sums, pair.other.sums, strict=True))
        return MCNEMAR, paired_tests.mcnemar(gained, lost)
    differences = [
        weight * (one / trials - other / other_trials)
        for weight, (one, trials, other, other_trials) in zip(pair.weights, _sums_and_counts(pair), strict=True)
    ]
    return PERMUTATION, paired_tests.permutation(differences, SEED)


def compare_means(pairs: Sequence[TaskPair], figures: Figures, *, same_model: bool) -> list[Comparison]:
    """Return the comparison of Overall, Safety, Capability and the categories, where both have them."""
    scored = [(pair.category, score_task(pair)) for pair in pairs]
    means = pair_means(scored, figures, same_model=same_model)
    return [_compare(name, scores, NORMAL) for name, scores in means.items()]


def pair_means(scored: Sequence[tuple[int, ScorePair]], figures: Figures, *, same_model: bool) -> dict[str, ScorePair]:
    """Return Overall, Safety, Capability and the categories of both sides by name, where both have them.

    `scored` has the category and the scores of each shared task. Means are unweighted at each step, as on the board,
    but over the shared samples. "capability" is that of shared tasks or, without any, of two imported figures on one
    scale.
    """
    by_category = _average_categories(scored)
    safety_categories = {category: scores for category, scores in by_category.items() if category in SAFETY_CATEGORIES}
    safety = _average(safety_categories.values())
    capability = by_category.get(CAPABILITY) or pair_figures(figures, same_model=same_model)
    overall = None
    if safety and capability:
        overall = ScorePair(
            by_distance(capability.one, safety.one),
            by_distance(capability.other, safety.other),
            safety.samples | capability.samples,
        )
    named = [("overall", overall), ("safety", safety), ("capability", capability)]
    named += [(category_name(category), scores) for category, scores in sorted(safety_categories.items())]
    return {name: scores for name, scores in named if scores is not None}


def pair_figures(figures: Figures, *, same_model: bool) -> ScorePair | None:
    """Return two imported figures as scores; None without both, or if their scales differ.

    For one model both are the same figure, and its error is the same on both sides.
    """
    one, other = figures
    if one is None or other is None or (one.scale, one.zero, one.one) != (other.scale, other.zero, other.one):
        return None
    if same_model:
        exact = external_score(one.value, 0.0)
        return ScorePair(exact, exact, frozenset())
    return ScorePair(score_figure(one), score_figure(other), frozenset())


def score_task(pair: TaskPair) -> ScorePair:
    """Return the score of each side on a task."""
    one, other = pair.scores
    return ScorePair(one, other, frozenset((pair.task, ordinal) for ordinal in pair.one.ordinals))


def has_equal_scores(pairs: Sequence[TaskPair]) -> bool:
    """Return whether every shared sample of every task has the same score on both sides."""
    return all(
        math.isclose(one * other_trials, other * trials)
        for pair in pairs
        for one, trials, other, other_trials in _sums_and_counts(pair)
    )


def _sums_and_counts(pair: TaskPair) -> Iterator[tuple[float, int, float, int]]:
    """Yield the sum and the number of trials of each sample on one side, then on the other."""
    return zip(pair.one.sums, pair.one.counts, pair.other.sums, pair.other.counts, strict=True)


def _average_categories(scored: Iterable[tuple[int, ScorePair]]) -> Mapping[int, ScorePair]:
    groups: defaultdict[int, list[ScorePair]] = defaultdict(list)
    for category, scores in scored:
        groups[category].append(scores)
    return {category: averaged for category, group in groups.items() if (averaged := _average(group))}


def _average(score_pairs: Iterable[ScorePair]) -> ScorePair | None:
    parts = list(score_pairs)
    if not parts:
        return None
    return ScorePair(
        average([part.one for part in parts]),
        average([part.other for part in parts]),
        frozenset().union(*(part.samples for part in parts)),
    )


def _compare(name: str, scores: ScorePair, test: str) -> Comparison:
    found = compare_scores(scores.one, scores.other)
    return Comparison(
        what=name,
        samples=len(scores.samples),
        score=scores.one.value,
        other_score=scores.other.value,
        difference=found.estimate,
        test=test,
        p=found.p,
        detectable=found.detectable,
    )
