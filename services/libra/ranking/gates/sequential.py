"""Tests requirements at any time, on the samples in the order in which they became known.

A mean of several tasks takes one sample of each task at a time, so that it ends with the task that has the fewest.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libra.ranking.board.board import CAPABILITY
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.gates.inputs import SampleScore, Streams, label_of
from libra.ranking.gates.policy import OVERALL
from libra.ranking.gates.requirements import Requirement
from libra.statistics.betting import BettingTest, level_of
from libra.statistics.score import Interval

MAX_MORE_SAMPLES = 10_000_000


@dataclass(frozen=True, slots=True)
class SequentialTest:
    """Both one-sided tests of a requirement, valid at any time."""

    value: float
    interval: Interval
    p_below: float
    """p of the hypothesis that the requirement is kept."""

    p_above: float
    """p of the hypothesis that it is broken."""

    steps: int
    """The number of observations that were bet on."""

    def more_samples(self, samples: int, alpha: float, breach_alpha: float) -> int | None:
        """Return about how many samples more decide, if evidence continues to grow at the same rate."""
        p, level = min((self.p_below, breach_alpha), (self.p_above, alpha))
        if p >= 1 or self.steps == 0:
            return None
        needed = math.ceil(samples * (math.log(level) / math.log(p) - 1))
        return max(1, needed) if needed <= MAX_MORE_SAMPLES else None


def compare_sequentially(
    requirement: Requirement, streams: tuple[Streams, Streams], alpha: float
) -> SequentialTest | None:
    """Return the test of a requirement; None without an observation."""
    if requirement.score == OVERALL:
        return _compare_overall(requirement, streams, alpha)
    values = _observations(requirement.cells, streams, is_difference=requirement.baseline_score is not None)
    if not values:
        return None
    is_difference = requirement.baseline_score is not None
    scale, shift = (2.0, -1.0) if is_difference else (1.0, 0.0)
    test, limit = BettingTest(values), (requirement.limit - shift) / scale
    interval = Interval(scale * test.low(alpha) + shift, scale * test.high(alpha) + shift)
    value = scale * test.mean + shift
    return SequentialTest(value, interval, test.p_at_least(limit), test.p_at_most(limit), test.samples)


def _compare_overall(requirement: Requirement, streams: tuple[Streams, Streams], alpha: float) -> SequentialTest | None:
    """Return the test of Overall, from bounds of its parts that hold together (Bonferroni)."""
    sides = streams[: 2 if requirement.baseline_score is not None else 1]
    parts = [
        [
            BettingTest(_observations(cells, (side, {}), is_difference=False))
            for cells in _split_capability(requirement.cells)
        ]
        for side in sides
    ]
    steps = min(test.samples for side in parts for test in side)
    if steps == 0:
        return None

    def bounds(level: float) -> Interval:
        share = level / (2 * len(sides))
        lows = [_overall([test.low(share) for test in side]) for side in parts]
        highs = [_overall([test.high(share) for test in side]) for side in parts]
        if len(sides) == 1:
            return Interval(lows[0], highs[0])
        return Interval(lows[0] - highs[1], highs[0] - lows[1])

    values = [_overall([test.mean for test in side]) for side in parts]
    value = values[0] - (values[1] if len(sides) > 1 else 0.0)
    return SequentialTest(
        value,
        bounds(alpha),
        level_of(lambda level: bounds(level).high < requirement.limit),
        level_of(lambda level: bounds(level).low >= requirement.limit),
        steps,
    )


def _split_capability(cells: Sequence[BoardCell]) -> list[list[BoardCell]]:
    """Return the cells of capability, and those of safety."""
    return [
        [each for each in cells if each.cell.category == CAPABILITY],
        [each for each in cells if each.cell.category != CAPABILITY],
    ]


def _overall(parts: Sequence[float]) -> float:
    capability, safety = parts
    return 1.0 - math.sqrt(((1.0 - capability) ** 2 + (1.0 - safety) ** 2) / 2)


def _observations(cells: Sequence[BoardCell], streams: tuple[Streams, Streams], *, is_difference: bool) -> list[float]:
    """Return the observations of a mean over cells, in [0, 1]; a difference d in [-1, 1] is (d + 1) / 2."""
    by_task: defaultdict[str, list[BoardCell]] = defaultdict(list)
    for each in cells:
        by_task[each.cell.task].append(each)
    by_category: defaultdict[int, list[list[float]]] = defaultdict(list)
    for task, group in sorted(by_task.items()):
        labels = [label_of(each) for each in group]
        sources = [streams[0].get(label, {}) for label in labels]
        if is_difference:
            sources += [streams[1].get(label, {}) for label in labels]
        ordinals = _order_samples(task, sources)
        for position, each in enumerate(group):
            values = [sources[position][ordinal].score for ordinal in ordinals]
            if is_difference:
                others = [sources[len(group) + position][ordinal].score for ordinal in ordinals]
                values = [(value - other + 1) / 2 for value, other in zip(values, others, strict=True)]
            by_category[each.cell.category].append(values)
    groups = [_average(group) for group in by_category.values()]
    return _average(groups)


def _order_samples(task: str, sources: Sequence[Mapping[int, SampleScore]]) -> list[int]:
    """Return the samples that all sources have: by the look at which the last of them knew it, then at random.

    The order within one look must not depend on the scores, nor on the order of the task's samples, which may be sorted
    by difficulty. It is that of a hash, and the same for all attacks on a task.
    """
    shared = set.intersection(*(set(source) for source in sources)) if sources else set()

    def position(ordinal: int) -> tuple[int, bytes]:
        step = max(source[ordinal].step for source in sources)
        return step, hashlib.sha256(f"{task}/{ordinal}".encode()).digest()

    return sorted(shared, key=position)


def _average(groups: Sequence[Sequence[float]]) -> list[float]:
    """Return the mean of the groups at each position, as far as all of them reach."""
    return [math.fsum(values) / len(values) for values in zip(*groups, strict=False)]
