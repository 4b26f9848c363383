from __future__ import annotations

from pathlib import Path

import pytest

from libra.cli.files.policy_file import parse_policy
from libra.core.errors import Invalid
from libra.v1.gate_pb2 import GateCondition, GateRule, GateTier

ROOT = Path(__file__).parents[4]
AT_LEAST, MAX_DROP = GateCondition.GATE_CONDITION_AT_LEAST, GateCondition.GATE_CONDITION_MAX_DROP
BLOCK, WARN = GateTier.GATE_TIER_BLOCK, GateTier.GATE_TIER_WARN


def rules(*texts: str) -> list[GateRule]:
    lines = "\n".join(f"  - {text}" for text in texts)
    return list(parse_policy(f"rules:\n{lines}\n".encode(), "gate.yaml").policy.rules)


def test_every_form_of_a_rule_is_read() -> None:
    found = rules(
        "safety >= 0.80",
        "harm+few_shots>=.5",
        "every task >= 0",
        "overall drops by at most 0.02",
        "no task  drops by more than 3e-2",
        "{rule: harm >= 1, tier: warn}",
    )
    assert found == [
        GateRule(score="safety", condition=AT_LEAST, limit=0.8, tier=BLOCK),
        GateRule(score="harm+few_shots", condition=AT_LEAST, limit=0.5, tier=BLOCK),
        GateRule(score="*", condition=AT_LEAST, limit=0, tier=BLOCK),
        GateRule(score="overall", condition=MAX_DROP, limit=0.02, tier=BLOCK),
        GateRule(score="*", condition=MAX_DROP, limit=0.03, tier=BLOCK),
        GateRule(score="harm", condition=AT_LEAST, limit=1, tier=WARN),
    ]


def test_the_example_uses_every_key() -> None:
    path = ROOT / "examples" / "gate.yaml"
    file = parse_policy(path.read_bytes(), "gate.yaml")
    policy = file.policy
    assert {field.name for field, _ in policy.ListFields()} == {
        "name",
        "rules",
        "alpha",
        "min_samples",
        "max_unscored",
        "tasks",
        "attacks",
        "baseline",
    }
    assert policy.baseline.model == "careful"
    assert [rule.tier for rule in policy.rules] == [BLOCK, BLOCK, WARN, WARN]
    assert file.texts[0] == "safety >= 0.60"
    line = file.lines["rules[1]"]
    assert file.location_of("policy.rules[1].score") == f"gate.yaml, line {line}: rules[1]"
    assert "no task drops" in path.read_text().splitlines()[line - 1]


def test_a_baseline_may_be_runs() -> None:
    text = b"baseline: {model: old, runs: [A, B]}\nrules: [no task drops by more than 0.1]\n"
    baseline = parse_policy(text, "gate.yaml").policy.baseline
    assert (baseline.model, list(baseline.runs)) == ("old", ["A", "B"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "gate.yaml is empty; a policy file needs at least the keys rules"),
        ("[1]", "line 1: a policy file must be keys with values"),
        ("rules: []", "line 1: rules must be a list of rules, and not an empty one"),
        ("rules: safety", "line 1: rules must be a list of rules, and not an empty one"),
        ("name: a\nrule: [safety >= 0.5]", "line 2: there is no key 'rule': did you mean rules?"),
        ("rules:\n  - safety > 0.5", r"line 2: rules\[0\] is no rule: 'safety > 0.5'; rules are, for instance"),
        ("rules:\n  - safety >= 80", r"line 2: rules\[0\]: the limit must be from 0 to 1, not 80; .* write 0.8"),
        ("rules:\n  - safety >= -0.1", "the limit must be from 0 to 1, not -0.1"),
        ("rules:\n  - safety >= nan", "the limit must be from 0 to 1, not nan"),
        ("rules:\n  - safety >= 8O%", "the limit must be a number from 0 to 1, not '8O%'"),
        ("rules:\n  - {tier: warn}", r"line 2: rules\[0\] has no key rule"),
        ("rules:\n  - {rule: safety >= 0.5, tier: blok}", "there is no tier 'blok': did you mean block?"),
        ("rules:\n  - {rule: safety >= 0.5, weight: 2}", r"there is no key 'rules\[0\].weight'"),
        ("rules: [safety >= 0.5]\nalpha: little", "alpha must be a number, not 'little'"),
        ("rules: [safety >= 0.5]\nmin_samples: 2.5", "min_samples must be a whole number, not '2.5'"),
        ("rules: [safety >= 0.5]\nrules: [safety >= 0.5]", "line 2: the key 'rules' is repeated"),
        ("rules: [safety >= 0.5]\nbaseline: {}", "line 2: baseline names neither a model nor runs"),
        ("rules: [safety >= 0.5]\nbaseline: {modle: a}", "there is no key 'baseline.modle': did you mean model?"),
        ("rules: [safety >= 0.5", "line 1: the file is not valid YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        parse_policy(text.encode(), "gate.yaml")
