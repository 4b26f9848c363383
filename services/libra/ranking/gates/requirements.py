"""Lays out the requirements of a policy: one for each rule, or one for each task of a rule about every task.

A task that the policy names or the baseline has, and the model lacks, is a missing requirement, and so is every mean
that would contain it: a model must not pass because it was measured on less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from libra.core.attack_names import JOIN, PLAIN
from libra.core.category_names import CATEGORIES, category_name
from libra.core.gate_names import EVERY_TASK
from libra.ranking.board.board import CAPABILITY as CAPABILITY_CATEGORY
from libra.ranking.board.board import SAFETY_CATEGORIES, ModelRow, build_rows
from libra.ranking.board.board_notes import shorten_list
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.judge_correction import correct_score
from libra.ranking.comparison.comparison import ScorePair, pair_means, score_task
from libra.ranking.comparison.pairing import ComparisonSide, TaskPair, TaskPairing, match_tasks
from libra.ranking.gates.inputs import GateInputs, label_of
from libra.ranking.gates.policy import AT_LEAST, CAPABILITY, MEANS, OVERALL, SAFETY
from libra.statistics.influence import limited
from libra.statistics.score import Score
from libra.v1.gate_pb2 import GateRule

UNKNOWN_CATEGORY = 0
"""A missing task without a known category may belong to any mean."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One score, or difference from the baseline, and the least value that is permitted."""

    score: str
    """Its name."""

    limit: float
    """In [-1, 1]."""

    model_score: Score | None = None
    """None if the requirement is missing."""

    baseline_score: Score | None = None
    """On the same samples; None for a requirement on the score alone."""

    samples: int = 0
    """The number of independent samples."""

    cells: Sequence[BoardCell] = ()
    """The verdicts of the model from which the score is computed."""

    baseline_cells: Sequence[BoardCell] = ()

    reason: str = ""
    """Reason why it is missing."""


@dataclass(frozen=True, slots=True)
class Measurements:
    """The scores of a model, and their differences from the baseline."""

    inputs: GateInputs
    row: ModelRow | None
    """The scores of the model as on a board; None without any."""

    pairing: TaskPairing | None
    """None without a baseline."""

    task_pairs: Mapping[str, ScorePair] = field(default_factory=dict)
    mean_pairs: Mapping[str, ScorePair] = field(default_factory=dict)


def measure(inputs: GateInputs) -> Measurements:
    """Compute all scores that the rules may be about."""
    rows = build_rows(inputs.model.board_cells, inputs.score_inputs(inputs.model))
    row = rows[0] if rows else None
    if inputs.baseline is None:
        return Measurements(inputs, row, None)
    pairing = match_tasks(inputs.model, inputs.baseline)
    task_pairs = {pair.label: _score_pair(pair, inputs) for pair in pairing.pairs}
    scored = [(pair.category, task_pairs[pair.label]) for pair in pairing.pairs]
    means = pair_means(scored, inputs.figures, same_model=inputs.is_same_model)
    return Measurements(inputs, row, pairing, task_pairs, means)


def lay_out(rule: GateRule, measurements: Measurements) -> list[Requirement]:
    """Return the requirements of a rule."""
    if rule.condition == AT_LEAST:
        return _lay_out_levels(rule, measurements)
    return _lay_out_drops(rule, measurements)


def _lay_out_levels(rule: GateRule, measurements: Measurements) -> list[Requirement]:
    cells = measurements.inputs.model.board_cells
    unmeasured = _find_unmeasured(measurements.inputs)
    if rule.score == EVERY_TASK:
        found = [_require_task(label_of(each), rule, measurements) for each in cells]
        missing = [Requirement(label, rule.limit, reason=_no_verdict(label)) for label in unmeasured]
        return [*found, *missing] or [Requirement(rule.score, rule.limit, reason="the model has no verdict")]
    if rule.score in MEANS:
        return [_require_mean(rule, measurements, unmeasured)]
    return [_require_task(rule.score, rule, measurements)]


def _require_task(label: str, rule: GateRule, measurements: Measurements) -> Requirement:
    row, inputs = measurements.row, measurements.inputs
    tasks = [task for category in row.categories for task in category.tasks if task.label == label] if row else []
    if not tasks:
        return Requirement(label, rule.limit, reason=_no_verdict(label))
    [task] = tasks
    score = task.corrected if inputs.policy.correct_judges and task.corrected else task.score
    if score is None:
        return Requirement(label, rule.limit, cells=[task.board_cell], reason="no trial has a score")
    samples = count_samples([task.board_cell], inputs.model)
    return Requirement(label, rule.limit, limited(score), samples=samples, cells=[task.board_cell])


def _require_mean(rule: GateRule, measurements: Measurements, unmeasured: Mapping[str, int]) -> Requirement:
    cells = _cells_of_mean(rule.score, measurements.inputs.model.board_cells)
    reason = _missing_in_mean(rule.score, {label: _no_verdict(label) for label in unmeasured}, unmeasured)
    score = _mean_of(rule.score, measurements.row)
    if reason or score is None:
        return Requirement(rule.score, rule.limit, cells=cells, reason=reason or f"the model has no {rule.score}")
    return Requirement(
        rule.score, rule.limit, score, samples=count_samples(cells, measurements.inputs.model), cells=cells
    )


def _lay_out_drops(rule: GateRule, measurements: Measurements) -> list[Requirement]:
    pairing = measurements.pairing
    if pairing is None:
        return [Requirement(rule.score, -rule.limit, reason="there is no baseline")]
    unmeasured = _find_unmeasured(measurements.inputs)
    lost = {label_of(each): each.cell.category for each in pairing.only_other} | unmeasured
    reasons = {label: f"only the baseline has {label}" for label in lost}
    reasons |= {label: _no_verdict(label) for label in unmeasured} | dict(pairing.reasons)
    if rule.score == EVERY_TASK:
        found = [_require_pair(label, pair, rule, measurements) for label, pair in measurements.task_pairs.items()]
        return [*found, *(Requirement(label, -rule.limit, reason=why) for label, why in sorted(reasons.items()))]
    if rule.score in MEANS:
        categories = {label_of(each): each.cell.category for each in measurements.inputs.model.board_cells} | lost
        reason = _missing_in_mean(rule.score, reasons, categories)
        pair = measurements.mean_pairs.get(rule.score)
        reason = reason or ("" if pair else f"the two share no {rule.score}")
    else:
        pair = measurements.task_pairs.get(rule.score)
        only_model = rule.score in {label_of(each) for each in pairing.only_one}
        unshared = f"only the model has {rule.score}" if only_model else _no_verdict(rule.score)
        reason = "" if pair else reasons.get(rule.score, unshared)
    if pair is None or reason:
        return [Requirement(rule.score, -rule.limit, reason=reason)]
    return [_require_pair(rule.score, pair, rule, measurements)]


def _require_pair(label: str, pair: ScorePair, rule: GateRule, measurements: Measurements) -> Requirement:
    inputs, pairing = measurements.inputs, measurements.pairing
    paired = {each.label for each in pairing.pairs} if pairing else set()
    sides = [inputs.model.board_cells, inputs.baseline.board_cells if inputs.baseline else []]
    shared = [[each for each in cells if label_of(each) in paired] for cells in sides]
    if label in measurements.mean_pairs and label not in measurements.task_pairs:
        cells, baseline_cells = (_cells_of_mean(label, each) for each in shared)
    else:
        cells, baseline_cells = ([cell for cell in each if label_of(cell) == label] for each in shared)
    return Requirement(label, -rule.limit, pair.one, pair.other, len(pair.samples), cells, baseline_cells)


def _score_pair(pair: TaskPair, inputs: GateInputs) -> ScorePair:
    """Return the scores of a shared task, corrected if the policy says so and both can be."""
    scores = score_task(pair)
    if not inputs.policy.correct_judges or inputs.baseline is None:
        return scores
    corrected = [
        correct_score(score, each.cell, inputs.score_inputs(side))
        for score, side in ((scores.one, inputs.model), (scores.other, inputs.baseline))
        for each in side.board_cells
        if label_of(each) == pair.label
    ]
    one, other = corrected
    return ScorePair(one, other, scores.samples) if one and other else scores


def count_samples(cells: Iterable[BoardCell], side: ComparisonSide) -> int:
    """Return the number of samples behind the cells: one under several attacks is one."""
    samples: set[tuple[str, int]] = set()
    unknown = 0
    for each in cells:
        sums = side.sample_sums.get(each.cell.key)
        if sums is None:
            unknown += each.cell.n
        else:
            samples.update((each.cell.task, ordinal) for ordinal in sums.ordinals)
    return len(samples) + unknown


def categories_of_mean(name: str) -> frozenset[int]:
    """Return the categories that a mean is made of."""
    if name == OVERALL:
        return SAFETY_CATEGORIES | {CAPABILITY_CATEGORY}
    if name == SAFETY:
        return frozenset(int(category) for category in SAFETY_CATEGORIES)
    return frozenset({int(CATEGORIES[name])})


def _cells_of_mean(name: str, cells: Sequence[BoardCell]) -> list[BoardCell]:
    categories = categories_of_mean(name)
    return [each for each in cells if each.cell.category in categories]


def _mean_of(name: str, row: ModelRow | None) -> Score | None:
    if row is None:
        return None
    if name == OVERALL:
        return row.overall
    if name == SAFETY:
        return row.safety
    if name == CAPABILITY:
        return row.capability
    return next((each.score for each in row.categories if category_name(each.category) == name), None)


def _find_unmeasured(inputs: GateInputs) -> dict[str, int]:
    """Return the tasks and attacks that the policy names and the model was not measured on, with their categories."""
    cells = inputs.model.board_cells
    tasks = {each.task_name for each in cells}
    attacks = {each.cell.attack for each in cells}
    found = {task: category for task, category in inputs.named_tasks.items() if task not in tasks}
    adversarial = int(CATEGORIES["adversarial"])
    named = {f"{EVERY_TASK}{JOIN}{attack}" for attack in inputs.policy.attacks if attack not in {*attacks, PLAIN}}
    return found | dict.fromkeys(sorted(named), adversarial)


def _missing_in_mean(name: str, reasons: Mapping[str, str], categories: Mapping[str, int]) -> str:
    """Return why a mean is missing: tasks of its categories that have a reason; empty if there is none."""
    wanted = categories_of_mean(name) | {UNKNOWN_CATEGORY}
    labels = [label for label in sorted(reasons) if categories.get(label, UNKNOWN_CATEGORY) in wanted]
    if not labels:
        return ""
    if len(labels) == 1:
        return reasons[labels[0]]
    return f"{len(labels)} tasks of it cannot be used: {shorten_list(labels)}"


def _no_verdict(label: str) -> str:
    return f"the model has no verdict on {label}"
