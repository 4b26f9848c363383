"""A decision with what its reader needs to know, and the sentences that all formats share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from libra.cli.render.format import enum_name
from libra.core.gate_names import EVERY_TASK
from libra.v1.gate_pb2 import (
    CheckGateResponse,
    GateCondition,
    GateDecision,
    GatePart,
    GatePolicy,
    GateRule,
    GateSampleChanges,
    GateStatus,
    GateTier,
)

PASS, BREACH = GateStatus.GATE_STATUS_PASS, GateStatus.GATE_STATUS_BREACH
GO, NO_GO = GateDecision.GATE_DECISION_GO, GateDecision.GATE_DECISION_NO_GO
AT_LEAST = GateCondition.GATE_CONDITION_AT_LEAST
WARN = GateTier.GATE_TIER_WARN
DECISIONS = {GO: "GO", NO_GO: "NO-GO", GateDecision.GATE_DECISION_INCONCLUSIVE: "INCONCLUSIVE"}
MAX_NAMED = 10
"""The most samples of a kind that are named in one sentence."""


class PolicySource(Protocol):
    """The file that the policy was read from."""

    @property
    def name(self) -> str:
        """The file."""

    @property
    def policy(self) -> GatePolicy:
        """The policy."""

    @property
    def lines(self) -> Mapping[str, int]:
        """Line numbers, from 1, by the path of the key, for instance "rules[2]"."""

    @property
    def texts(self) -> Sequence[str]:
        """The rules as they are written, in their order."""


@dataclass(frozen=True, slots=True)
class GateReport:
    """The reply of a gate, with the model and the policy file that it is about."""

    reply: CheckGateResponse
    model: str
    file: PolicySource
    is_sequential: bool = False
    """Whether samples were ordered until the data decided."""

    @property
    def title(self) -> str:
        """The name of the policy, or of its file."""
        return self.file.policy.name or self.file.name

    @property
    def decision(self) -> str:
        """GO, NO-GO or INCONCLUSIVE."""
        return DECISIONS[self.reply.decision]

    @property
    def confidence(self) -> str:
        """The confidence of all intervals, for instance "90 %"."""
        return f"{100 * (1 - 2 * self.reply.alpha):g} %"

    @property
    def parts(self) -> Iterator[tuple[int, GateRule, GatePart]]:
        """Each part with its rule and the position of that rule."""
        for index, result in enumerate(self.reply.rules):
            for part in result.parts:
                yield index, result.rule, part

    def text_of(self, index: int) -> str:
        """Return a rule as it is written in the file."""
        return self.file.texts[index]


def status_name(part: GatePart) -> str:
    """Return PASS, BREACH, INSUFFICIENT or MISSING."""
    return enum_name(GateStatus, part.status, "GATE_STATUS_").upper()


def rule_id(rule: GateRule) -> str:
    """Return a name of the rule that stays the same while other rules change."""
    score = "every-task" if rule.score == EVERY_TASK else rule.score
    return f"{'min' if rule.condition == AT_LEAST else 'max-drop'}-{score}"


def describe_part(rule: GateRule, part: GatePart, confidence: str) -> str:
    """Return in a sentence what was found and what is permitted."""
    if not part.HasField("value"):
        return f"{part.score}: {part.reason}"
    interval = f" ({confidence} interval {part.low:.3f} to {part.high:.3f})" if part.HasField("low") else ""
    if rule.condition == AT_LEAST:
        sentence = f"{part.score} is {part.value:.3f}{interval}, and at least {part.limit:g} is required"
    else:
        sentence = (
            f"{part.score} changes by {part.value:+.3f}{interval}, from {part.baseline_score:.3f} to "
            f"{part.model_score:.3f}, and a drop of at most {-part.limit:g} is permitted"
        )
    return f"{sentence}; {part.samples} samples" + (f"; {part.reason}" if part.reason else "")


def conclusions(report: GateReport) -> list[str]:
    """Return the decision, what led to it, and what would decide, in sentences."""
    reply = report.reply
    named = [(f"{part.score} ({report.text_of(index)})", rule, part) for index, rule, part in report.parts]
    breached = [name for name, rule, part in named if part.status == BREACH and rule.tier != WARN]
    warned = [name for name, rule, part in named if part.status == BREACH and rule.tier == WARN]
    undecided = [name for name, rule, part in named if part.status not in (PASS, BREACH) and rule.tier != WARN]
    sentences = [f"{report.decision}: {_reason(report, breached, undecided)}"]
    if warned:
        sentences.append(f"Breaches that do not stop the release: {join_names(warned)}.")
    if reply.decision not in (GO, NO_GO):
        sentences.append(_plan(report))
    return sentences


def change_sentences(reply: CheckGateResponse) -> list[str]:
    """Return the samples that changed or fail, by task: a sample is its ordinal in the version of its task."""
    return [f"{each.score} ({each.task}): {'; '.join(_list_changes(each))}" for each in reply.changes]


def join_names(names: Sequence[object]) -> str:
    """Return the first names, and the number of the others."""
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(map(str, names[:MAX_NAMED])) + more


def _list_changes(changes: GateSampleChanges) -> list[str]:
    kinds = (
        ("newly broken", changes.newly_broken, changes.newly_broken_count),
        ("fixed", changes.fixed, changes.fixed_count),
        ("failing in both", changes.persistent, changes.persistent_count),
    )
    return [f"{count} {kind}: {_first(ordinals, count)}" for kind, ordinals, count in kinds if count]


def _first(ordinals: Sequence[int], count: int) -> str:
    named = ", ".join(f"#{ordinal}" for ordinal in ordinals[:MAX_NAMED])
    return f"{named} and {count - MAX_NAMED} more" if count > MAX_NAMED else named


def _reason(report: GateReport, breached: Sequence[str], undecided: Sequence[str]) -> str:
    if report.reply.decision == GO:
        return f"{report.model} keeps every rule of {report.title}."
    if breached:
        return f"{report.model} breaks {report.title}: {join_names(breached)}."
    return f"the data do not show whether {report.model} keeps {report.title}: {join_names(undecided)}."


def _plan(report: GateReport) -> str:
    if not report.reply.HasField("more_samples"):
        return "No number of samples alone would decide: see the reasons, and values that are equal to their limits."
    number = f"About {report.reply.more_samples:,} more samples would decide"
    if report.is_sequential:
        return f"{number}, if the evidence continues to grow as before."
    power = "with a probability of 80 %, if the true values are the estimated ones"
    return f"{number} {power}; --decide orders them in steps."
