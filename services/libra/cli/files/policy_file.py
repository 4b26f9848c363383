"""Parses a policy file: YAML with the rules that a release must keep."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from libra.cli.files.run_file import (
    INT32,
    NodeReader,
    RunFileReader,
    compose,
    integer_reader,
    line_of,
    read_flag,
    read_number,
    read_text,
    read_texts,
)
from libra.core.errors import nearest
from libra.core.gate_names import EVERY_TASK
from libra.v1.gate_pb2 import GateBaseline, GateCondition, GatePolicy, GateRule, GateTier

KIND = "a policy file"
TIERS = {"block": GateTier.GATE_TIER_BLOCK, "warn": GateTier.GATE_TIER_WARN}
AT_LEAST, MAX_DROP = GateCondition.GATE_CONDITION_AT_LEAST, GateCondition.GATE_CONDITION_MAX_DROP
FORMS: tuple[tuple[re.Pattern[str], GateCondition.ValueType], ...] = (
    (re.compile(r"(?P<score>every task|[^\s<>=]+)\s*>=\s*(?P<limit>\S+)"), AT_LEAST),
    (re.compile(r"(?P<score>no task) drops by more than (?P<limit>\S+)"), MAX_DROP),
    (re.compile(r"(?P<score>[^\s<>=]+) drops by at most (?P<limit>\S+)"), MAX_DROP),
)
"""The forms of a rule."""

EXAMPLES = "`safety >= 0.80`, `every task >= 0.5`, `safety drops by at most 0.02`, `no task drops by more than 0.03`"


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """The policy in a file, and the line of each of its keys."""

    name: str
    policy: GatePolicy
    lines: Mapping[str, int]
    """Line numbers, from 1, by the path of the key: "alpha", "rules[2]"."""

    texts: tuple[str, ...]
    """The rules as they are written, in their order."""

    def location_of(self, path: str) -> str:
        """Return where a field of the policy is written: "gate.yaml, line 7: rules[2]"."""
        key = path.removeprefix("policy.")
        if rule := re.match(r"rules\[\d+\]", key):
            key = rule[0]
        line = self.lines.get(key)
        return f"{self.name}, line {line}: {key}" if line else f"{self.name}: {key}"


def parse_policy(data: bytes, name: str) -> PolicyFile:
    """Return the policy that the file describes; raise Invalid with the file, line and key at fault.

    Whether the scores and tasks exist is checked by ranking.
    """
    reader = RunFileReader(name, kind=KIND)
    fields = reader.read_keys(compose(data, name, KIND, "rules"), "", POLICY_KEYS)
    rules = fields.pop("rules", [])
    texts = tuple(text for text, _ in rules)
    return PolicyFile(name, GatePolicy(**fields, rules=[rule for _, rule in rules]), reader.lines, texts)


def _read_rules(reader: RunFileReader, node: yaml.Node, path: str) -> list[tuple[str, GateRule]]:
    """Return the rules with their texts."""
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise reader.error(line_of(node), f"{path} must be a list of rules, and not an empty one")
    rules = []
    for index, item in enumerate(node.value):
        item_path = f"{path}[{index}]"
        reader.lines[item_path] = line_of(item)
        keys = {"rule": item} if isinstance(item, yaml.ScalarNode) else None
        values: dict[str, Any] = (
            {"rule": read_text(reader, keys["rule"], item_path)}
            if keys
            else reader.read_keys(item, item_path, RULE_KEYS)
        )
        if "rule" not in values:
            raise reader.error(line_of(item), f"{item_path} has no key rule, such as {EXAMPLES}")
        rules.append((values["rule"], _parse_rule(reader, values, item, item_path)))
    return rules


def _parse_rule(reader: RunFileReader, values: Mapping[str, Any], node: yaml.Node, path: str) -> GateRule:
    text = " ".join(values["rule"].split())
    for form, condition in FORMS:
        found = form.fullmatch(text)
        if found:
            score = found["score"] if found["score"] not in ("every task", "no task") else EVERY_TASK
            limit = _parse_limit(reader, found["limit"], node, path)
            return GateRule(score=score, condition=condition, limit=limit, tier=values.get("tier", TIERS["block"]))
    raise reader.error(line_of(node), f"{path} is no rule: {text!r}; rules are, for instance, {EXAMPLES}")


def _parse_limit(reader: RunFileReader, text: str, node: yaml.Node, path: str) -> float:
    """Return a limit in [0, 1]."""
    try:
        limit = float(text)
    except ValueError:
        raise reader.error(line_of(node), f"{path}: the limit must be a number from 0 to 1, not {text!r}") from None
    if math.isnan(limit) or not 0 <= limit <= 1:
        hint = f"; scores are shares, so write {limit / 100:g}" if 1 < limit <= 100 else ""  # noqa: PLR2004 - a percentage
        raise reader.error(line_of(node), f"{path}: the limit must be from 0 to 1, not {text}{hint}")
    return limit


def _read_tier(reader: RunFileReader, node: yaml.Node, path: str) -> GateTier.ValueType:
    text = read_text(reader, node, path)
    if text not in TIERS:
        near = nearest(text, TIERS)
        hint = f"did you mean {near[0]}?" if near else f"valid tiers: {', '.join(TIERS)}"
        raise reader.error(line_of(node), f"there is no tier {text!r}: {hint}")
    return TIERS[text]


def _read_baseline(reader: RunFileReader, node: yaml.Node, path: str) -> GateBaseline:
    """Return the baseline: the name of a model, or keys."""
    if isinstance(node, yaml.ScalarNode):
        return GateBaseline(model=read_text(reader, node, path))
    values = reader.read_keys(node, path, BASELINE_KEYS)
    if not values:
        raise reader.error(line_of(node), f"{path} names neither a model nor runs")
    return GateBaseline(**values)


RULE_KEYS: Mapping[str, NodeReader] = {"rule": read_text, "tier": _read_tier}
BASELINE_KEYS: Mapping[str, NodeReader] = {"model": read_text, "runs": read_texts}
POLICY_KEYS: Mapping[str, NodeReader] = {
    "name": read_text,
    "rules": _read_rules,
    "alpha": read_number,
    "correct_judges": read_flag,
    "min_samples": integer_reader(INT32),
    "max_unscored": read_number,
    "tasks": read_texts,
    "attacks": read_texts,
    "baseline": _read_baseline,
}
"""The keys of a policy file, which are the fields of GatePolicy."""
