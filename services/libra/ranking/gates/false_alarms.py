"""Measures how often a gate stops a model that keeps its policy, by A/A comparisons of stored verdicts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence

from libra.core.errors import FailedPrecondition
from libra.ranking.gates.decision import BREACH, GO, INCONCLUSIVE, check
from libra.ranking.gates.inputs import GateInputs
from libra.ranking.gates.policy import BLOCK
from libra.ranking.gates.resampling import Population, to_population
from libra.statistics.interval import wilson
from libra.v1.gate_pb2 import (
    CalibrateGateResponse,
    CheckGateResponse,
    GatePolicy,
    GateRuleAlarms,
    GateShare,
)

PartKey = tuple[int, str]
"""The position of a rule in its policy, and the score of a part."""


class FalseAlarmMeter:
    """Makes A/A comparisons with the gate of these models, and counts how often it stops them.

    The comparisons are divided among the models that can be used. A false alarm is the breach of a part of a rule of
    the tier BLOCK which the population keeps.
    """

    def __init__(self, inputs: Sequence[GateInputs], seed: int) -> None:
        """Prepare the populations.

        Args:
            inputs: one entry for each model, at least one, all with the same policy.
            seed: seeds the resampling.

        Raises:
            FailedPrecondition: no model can be used.
        """
        self._policy = inputs[0].policy
        populations = [to_population(each) for each in inputs]
        kept = [_find_kept(each) for each in populations]
        self._notes = [
            note for each, parts in zip(populations, kept, strict=True) for note in _explain(each, parts, self._policy)
        ]
        self._usable = [(each, parts) for each, parts in zip(populations, kept, strict=True) if parts]
        if not self._usable:
            raise FailedPrecondition(
                "no model has verdicts that keep a rule of the policy; nothing can be a false alarm"
            )
        self._generator = random.Random(seed)  # noqa: S311 - not a secret
        self._counts: Counter[str] = Counter()
        self._breaches: Counter[int] = Counter()
        self._checks: Counter[int] = Counter()

    def repeat(self, repetitions: int) -> None:
        """Make this number of further comparisons."""
        for _ in range(repetitions):
            population, parts = self._usable[self._counts["total"] % len(self._usable)]
            response = check(population.draw(self._generator))
            broken = {index for index, score in _breaches(response) if (index, score) in parts}
            self._checks.update({index for index, _ in parts})
            self._breaches.update(broken)
            self._counts["total"] += 1
            self._counts["alarms"] += any(self._policy.rules[index].tier == BLOCK for index in broken)
            self._counts["passes"] += response.decision == GO
            self._counts["inconclusive"] += response.decision == INCONCLUSIVE

    def report(self) -> CalibrateGateResponse:
        """Return the shares of all comparisons so far."""
        total = self._counts["total"]
        return CalibrateGateResponse(
            false_alarms=_share(self._counts["alarms"], total),
            passes=_share(self._counts["passes"], total),
            inconclusive=_share(self._counts["inconclusive"], total),
            rules=[
                GateRuleAlarms(rule=rule, breaches=_share(self._breaches[index], self._checks[index]))
                for index, rule in enumerate(self._policy.rules)
            ],
            alpha=self._policy.alpha,
            models=[population.inputs.model.name for population, _ in self._usable],
            notes=self._notes,
        )


def _find_kept(population: Population) -> set[PartKey]:
    """Return the parts of the policy that the population itself keeps."""
    truth = check(population.truth())
    return {
        (index, part.score)
        for index, result in enumerate(truth.rules)
        for part in result.parts
        if part.HasField("value") and part.value >= part.limit
    }


def _breaches(response: CheckGateResponse) -> Iterable[PartKey]:
    for index, result in enumerate(response.rules):
        yield from ((index, part.score) for part in result.parts if part.status == BREACH)


def _explain(population: Population, kept: set[PartKey], policy: GatePolicy) -> list[str]:
    """Return a note on a model that keeps no rule, or not all."""
    name = population.inputs.model.name
    if not kept:
        return [f"{name} is left out: its verdicts keep no rule of the policy, or it has none"]
    rules = {index for index, _ in kept}
    broken = [policy.rules[index].score for index in range(len(policy.rules)) if index not in rules]
    if not broken:
        return []
    return [f"{name}: the rules about {', '.join(broken)} are broken or missing; their breaches are no false alarms"]


def _share(count: int, total: int) -> GateShare:
    if not total:
        return GateShare()
    ends = wilson(count, total)
    return GateShare(count=count, total=total, share=count / total, low=ends.low, high=ends.high)
