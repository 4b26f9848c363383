"""Builds the inputs of gates from scores."""

from __future__ import annotations

import random
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.unit.ranking.cells import board_cell, cell

from libra.ranking.comparison.pairing import ComparisonSide
from libra.ranking.gates.inputs import GateInputs
from libra.ranking.gates.policy import AT_LEAST, MAX_DROP, resolve_policy
from libra.store.sums.sample_sums import SampleSums
from libra.v1.gate_pb2 import CheckGateResponse, GateBaseline, GatePart, GatePolicy, GateRule, GateTier
from libra.v1.task_pb2 import Category

RISKY, ABLE = Category.CATEGORY_DIRECT_RISKY, Category.CATEGORY_CAPABILITY
WARN = GateTier.GATE_TIER_WARN
Scores = Mapping[str, Sequence[float]]
"""By the name of the task, "name" or "name+attack"; a capability task begins with "able"."""


def at_least(score: str, limit: float, tier: GateTier.ValueType = GateTier.GATE_TIER_BLOCK) -> GateRule:
    return GateRule(score=score, condition=AT_LEAST, limit=limit, tier=tier)


def max_drop(score: str, limit: float, tier: GateTier.ValueType = GateTier.GATE_TIER_BLOCK) -> GateRule:
    return GateRule(score=score, condition=MAX_DROP, limit=limit, tier=tier)


def policy(
    *rules: GateRule, tasks: Sequence[str] = (), known: Sequence[str] = ("harm", "able"), **options: Any
) -> GatePolicy:
    made = GatePolicy(rules=rules, tasks=tasks, baseline=GateBaseline(model="old"), **options)
    return resolve_policy(made, known)


def side(name: str, scores: Scores, *, failed: int = 0) -> ComparisonSide:
    board_cells, sums = [], {}
    for label, values in scores.items():
        task, _, attack = label.partition("+")
        category = ABLE if task.startswith("able") else Category.CATEGORY_ADVERSARIAL if attack else RISKY
        made = cell(name, f"{task}@1", attack=attack or "none", category=category, n=len(values), failed=failed)
        made = replace(made, sum=sum(values), sum_squares=sum(value**2 for value in values))
        board_cells.append(board_cell(made))
        sums[made.key] = to_sums(values)
    return ComparisonSide(name, board_cells, sums)


def to_sums(values: Sequence[float]) -> SampleSums:
    return SampleSums(array("i", range(len(values))), array("i", [1] * len(values)), array("d", values))


def inputs(of: GatePolicy, model: Scores, baseline: Scores | None = None, **options: Any) -> GateInputs:
    other = side("old", baseline) if baseline is not None else None
    return GateInputs(of, side("new", model), other, **options)


def parts(response: CheckGateResponse) -> dict[str, GatePart]:
    return {part.score: part for result in response.rules for part in result.parts}


def answers(generator: random.Random, n: int, share: float) -> list[float]:
    """Return `n` scores of 0 or 1, of which about `share` are 1."""
    return [float(generator.random() < share) for _ in range(n)]


def release(generator: random.Random, old: Sequence[float], *, change: float, drop: float, share: float) -> list[float]:
    """Return the scores of a release whose true score is `share` - `drop`.

    With the probability `change` a sample is answered anew, independently of the baseline, which scores `share`.
    """
    new = [float(generator.random() < share) if generator.random() < change else score for score in old]
    return [0.0 if score and generator.random() < drop / share else score for score in new]
