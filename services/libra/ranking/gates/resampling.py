"""Makes A/A comparisons of stored verdicts: two sides whose true scores are equal.

Samples are drawn with replacement (Efron 1979), so that the stored samples are the population. With a baseline, each
drawn sample keeps both its scores, and a coin decides which side gets which; the two are then as similar as the model
and the baseline are. Without a baseline, both sides are drawn independently from the model's samples.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.comparison.pairing import ComparisonSide, match_tasks
from libra.ranking.gates.inputs import GateInputs, label_of
from libra.store.sums.sample_sums import SampleSums

COIN = 0.5
"""The probability with which the two scores of a sample change sides."""


@dataclass(frozen=True, slots=True)
class Population:
    """The stored scores from which both sides are drawn."""

    inputs: GateInputs
    ordinals: Mapping[str, Sequence[int]]
    """The samples of each task, "name@version", that any of its cells has."""

    one: Mapping[str, Mapping[int, float]]
    """The mean scores of the model, by the label of the task and the ordinal."""

    other: Mapping[str, Mapping[int, float]]
    """Those of the baseline, or of the model without one."""

    is_paired: bool
    """Whether the two sides are different."""

    def truth(self) -> GateInputs:
        """Return inputs whose scores are the true ones: those of the whole population."""
        means = {
            label: {ordinal: (score + self.other[label][ordinal]) / 2 for ordinal, score in scores.items()}
            for label, scores in self.one.items()
        }
        draws = {task: list(ordinals) for task, ordinals in self.ordinals.items()}
        return self._to_inputs(draws, means, draws, means)

    def draw(self, generator: random.Random) -> GateInputs:
        """Return the inputs of one A/A comparison."""
        draws = {task: _draw(ordinals, generator) for task, ordinals in self.ordinals.items()}
        if not self.is_paired:
            others = {task: _draw(ordinals, generator) for task, ordinals in self.ordinals.items()}
            return self._to_inputs(draws, self.one, others, self.other)
        swaps = {task: [generator.random() < COIN for _ in ordinals] for task, ordinals in draws.items()}
        return self._to_inputs(draws, self.one, draws, self.other, swaps)

    def _to_inputs(
        self,
        draws: Mapping[str, Sequence[int]],
        scores: Mapping[str, Mapping[int, float]],
        other_draws: Mapping[str, Sequence[int]],
        other_scores: Mapping[str, Mapping[int, float]],
        swaps: Mapping[str, Sequence[bool]] | None = None,
    ) -> GateInputs:
        model, baseline = {}, {}
        cells = self.inputs.model.board_cells
        for each in cells:
            task, label = each.cell.task, label_of(each)
            one = [scores[label].get(ordinal) for ordinal in draws[task]]
            other = [other_scores[label].get(ordinal) for ordinal in other_draws[task]]
            if swaps is not None:
                pairs = zip(one, other, swaps[task], strict=True)
                one, other = map(list, zip(*((b, a) if swap else (a, b) for a, b, swap in pairs), strict=True))
            gold = _gold_labels(self.inputs.model.sample_sums[each.cell.key])
            model[each.cell.key] = _to_sums(one, gold, draws[task])
            baseline[each.cell.key] = _to_sums(other, gold, other_draws[task])
        name = self.inputs.model.name
        return replace(
            self.inputs,
            model=ComparisonSide(name, cells, model),
            baseline=ComparisonSide(f"{name} again", cells, baseline),
            figures=(self.inputs.figures[0], self.inputs.figures[0]),
            is_same_model=True,
        )


def to_population(inputs: GateInputs) -> Population:
    """Return the population of A/A comparisons: the shared samples with a baseline, otherwise the model's."""
    if inputs.baseline is None:
        sums = inputs.model.sample_sums
        cells = [each for each in inputs.model.board_cells if each.cell.key in sums]
        one = {label_of(each): _means(sums[each.cell.key]) for each in cells}
        return _build(inputs, cells, one, one, is_paired=False)
    pairs = {pair.label: pair for pair in match_tasks(inputs.model, inputs.baseline).pairs}
    cells = [each for each in inputs.model.board_cells if label_of(each) in pairs]
    one = {label: _means(pair.one) for label, pair in pairs.items()}
    other = {label: _means(pair.other) for label, pair in pairs.items()}
    return _build(inputs, cells, one, other, is_paired=True)


def _build(
    inputs: GateInputs,
    cells: Sequence[BoardCell],
    one: Mapping[str, Mapping[int, float]],
    other: Mapping[str, Mapping[int, float]],
    *,
    is_paired: bool,
) -> Population:
    samples: dict[str, set[int]] = {}
    for each in cells:
        samples.setdefault(each.cell.task, set()).update(one[label_of(each)])
    limited = replace(inputs, model=replace(inputs.model, board_cells=cells))
    ordinals = {task: sorted(found) for task, found in samples.items()}
    return Population(limited, ordinals, one, other, is_paired)


def _means(sums: SampleSums) -> dict[int, float]:
    columns = zip(sums.ordinals, sums.sums, sums.counts, strict=True)
    return {ordinal: total / count for ordinal, total, count in columns}


def _draw(ordinals: Sequence[int], generator: random.Random) -> list[int]:
    return generator.choices(ordinals, k=len(ordinals))


def _gold_labels(sums: SampleSums) -> dict[int, str]:
    """Return the gold label of each sample over which the score is balanced; empty if it is not."""
    return dict(zip(sums.ordinals, sums.labels, strict=True)) if sums.labels else {}


def _to_sums(scores: Sequence[float | None], gold: Mapping[int, str], drawn: Sequence[int]) -> SampleSums:
    """Return the scores as sums of one trial of each sample; the position in the draw is the ordinal."""
    known = [(position, score) for position, score in enumerate(scores) if score is not None]
    return SampleSums(
        array("i", [position for position, _ in known]),
        array("i", [1] * len(known)),
        array("d", [score for _, score in known]),
        labels=tuple(gold[drawn[position]] for position, _ in known) if gold else (),
    )
