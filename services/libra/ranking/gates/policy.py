"""Checks a policy, and fills in its defaults."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from libra.core.attack_names import JOIN
from libra.core.category_names import CATEGORIES
from libra.core.errors import Invalid, unknown
from libra.core.gate_names import EVERY_TASK
from libra.v1.gate_pb2 import GateCondition, GatePolicy, GateRule, GateTier

OVERALL, SAFETY, CAPABILITY = "overall", "safety", "capability"
MEANS = (OVERALL, SAFETY, CAPABILITY, *(name for name in CATEGORIES if name != CAPABILITY))
"""The scores that are not of one task."""

DEFAULT_ALPHA = 0.05
MAX_ALPHA = 0.5
DEFAULT_MIN_SAMPLES = 10
DEFAULT_MAX_UNSCORED = 0.2
MAX_RULES = 200
AT_LEAST, MAX_DROP = GateCondition.GATE_CONDITION_AT_LEAST, GateCondition.GATE_CONDITION_MAX_DROP
BLOCK = GateTier.GATE_TIER_BLOCK


def resolve_policy(policy: GatePolicy, tasks: Collection[str]) -> GatePolicy:
    """Return the policy with its defaults; raise Invalid with the field at fault.

    `tasks` has the names of all tasks, without versions.
    """
    resolved = GatePolicy()
    resolved.CopyFrom(policy)
    if not policy.HasField("alpha"):
        resolved.alpha = DEFAULT_ALPHA
    if not policy.HasField("max_unscored"):
        resolved.max_unscored = DEFAULT_MAX_UNSCORED
    resolved.min_samples = policy.min_samples or DEFAULT_MIN_SAMPLES
    _check_numbers(resolved)
    _check_names(policy.tasks, [*tasks, *CATEGORIES])
    if not policy.rules:
        raise Invalid("the policy has no rule, so it would pass every model", field="policy.rules")
    if len(policy.rules) > MAX_RULES:
        raise Invalid(f"{len(policy.rules)} rules are more than {MAX_RULES}", field="policy.rules")
    for index, rule in enumerate(resolved.rules):
        _check_rule(rule, tasks, f"policy.rules[{index}]")
        rule.tier = rule.tier or BLOCK
    if not any(rule.tier == BLOCK for rule in resolved.rules):
        raise Invalid("no rule has the tier block, so nothing would ever stop a model", field="policy.rules")
    if has_drops(resolved) and not policy.HasField("baseline"):
        raise Invalid("a rule limits a drop, but the policy has no baseline to drop from", field="policy.baseline")
    return resolved


def has_drops(policy: GatePolicy) -> bool:
    """Return whether a rule compares with a baseline."""
    return any(rule.condition == MAX_DROP for rule in policy.rules)


def _check_numbers(policy: GatePolicy) -> None:
    if not 0 < policy.alpha < MAX_ALPHA:
        raise Invalid(f"{policy.alpha:g} is not above 0 and below {MAX_ALPHA:g}", field="policy.alpha")
    if policy.min_samples < 1:
        raise Invalid(f"{policy.min_samples} is not a number of samples", field="policy.min_samples")
    if not 0 <= policy.max_unscored <= 1:
        raise Invalid(f"{policy.max_unscored:g} is not a share from 0 to 1", field="policy.max_unscored")


def _check_names(names: Sequence[str], valid: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if name not in valid:
            raise Invalid(unknown("task or category", name, valid), field=f"policy.tasks[{index}]")


def _check_rule(rule: GateRule, tasks: Collection[str], field: str) -> None:
    if rule.condition not in (AT_LEAST, MAX_DROP):
        raise Invalid("it is neither a least score nor a largest drop", field=f"{field}.condition")
    if math.isnan(rule.limit) or not 0 <= rule.limit <= 1:
        hint = f"; scores are shares: write {rule.limit / 100:g}" if 1 < rule.limit <= 100 else ""  # noqa: PLR2004 - a percentage
        raise Invalid(f"the limit {rule.limit:g} is not from 0 to 1{hint}", field=f"{field}.limit")
    if rule.tier not in GateTier.values():
        raise Invalid(f"{rule.tier} is not the number of a tier", field=f"{field}.tier")
    valid = [EVERY_TASK, *MEANS, *tasks]
    if rule.score not in valid and rule.score.partition(JOIN)[0] not in tasks:
        raise Invalid(unknown("score or task", rule.score, valid), field=f"{field}.score")
