"""The formats for pipelines: JUnit XML as Jenkins and GitLab read it, SARIF 2.1.0, and Markdown."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from tests.unit.cli.gates.gate_reply import POLICY, reply

from libra.cli.files.policy_file import parse_policy
from libra.cli.render.gates.gate_export import junit, markdown, sarif
from libra.cli.render.gates.gate_report import GateReport
from libra.v1.gate_pb2 import GateDecision

GO, NO_GO = GateDecision.GATE_DECISION_GO, GateDecision.GATE_DECISION_NO_GO
INCONCLUSIVE = GateDecision.GATE_DECISION_INCONCLUSIVE

JUNIT_CHILDREN = {
    "testsuites": ({"testsuite"}, set()),
    "testsuite": (
        {"properties", "testcase", "system-out", "system-err"},
        {"name", "tests", "failures", "errors", "time", "skipped"},
    ),
    "testcase": ({"skipped", "error", "failure", "system-out", "system-err"}, {"name", "classname", "time"}),
    "failure": (set(), {"type", "message"}),
    "error": (set(), {"type", "message"}),
    "skipped": (set(), {"message"}),
    "system-out": (set(), set()),
}
"""The elements within each element, and its attributes, of the schema of Jenkins (junit-10.xsd), as far as used."""

TEXT = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string"}},
    "additionalProperties": False,
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
LOCATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "physicalLocation": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "properties": {"uri": {"type": "string", "format": "uri-reference"}},
                },
                "region": {"type": "object", "properties": {"startLine": {"type": "integer", "minimum": 1}}},
            },
        }
    },
}
RESULT = {
    "type": "object",
    "required": ["message"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "kind": {"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
        "level": LEVEL,
        "message": TEXT,
        "locations": {"type": "array", "items": LOCATION},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    # Section 3.27.10: a result that is no failure has the level "none".
    "if": {"properties": {"kind": {"not": {"const": "fail"}}}},
    "then": {"properties": {"level": {"const": "none"}}},
}
RULE = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "shortDescription": TEXT,
        "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}},
    },
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "semanticVersion": {"type": "string"},
                                    "rules": {"type": "array", "uniqueItems": True, "items": RULE},
                                },
                            }
                        },
                    },
                    "invocations": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["executionSuccessful"],
                            "properties": {"exitCode": {"type": "integer"}},
                        },
                    },
                    "results": {"type": "array", "items": RESULT},
                },
            },
        },
    },
}
"""The part of the schema of SARIF 2.1.0 (OASIS) that a gate uses."""


def report(decision: GateDecision.ValueType) -> GateReport:
    return GateReport(reply(decision), "mine\x1b[2J\x08", parse_policy(POLICY.encode(), "policies/gate.yaml"))


def check_junit(element: ET.Element) -> None:
    children, attributes = JUNIT_CHILDREN[element.tag]
    assert set(element.attrib) == attributes
    for child in element:
        assert child.tag in children
        check_junit(child)


@pytest.mark.parametrize("decision", [GO, NO_GO, INCONCLUSIVE])
def test_junit_has_a_test_case_for_each_part(decision: GateDecision.ValueType) -> None:
    root = ET.fromstring(junit(report(decision)))
    check_junit(root)
    [suite] = root
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == [
        "safety: safety >= 0.80",
        "librai_adv_one_sided_statement: no task drops by more than 0.03",
        "fraud: no task drops by more than 0.03",
        "over_sensitive: over_sensitive drops by at most 0.05",
    ]
    kinds = [next((child.tag for child in case if child.tag != "system-out"), "passed") for case in cases]
    second = "failure" if decision == NO_GO else "error"
    assert kinds == ["passed", second, "error", "skipped"]
    for name in ("failure", "error", "skipped"):
        total = suite.get({"failure": "failures", "error": "errors"}.get(name, name))
        assert int(total or -1) == kinds.count(name)
    assert suite.get("tests") == "4"
    assert "interval 0.840 to 0.900" in (cases[0].findtext("system-out") or "")


@pytest.mark.parametrize(("decision", "code"), [(GO, 0), (NO_GO, 1), (INCONCLUSIVE, 3)])
def test_sarif_names_the_line_of_each_rule(decision: GateDecision.ValueType, code: int) -> None:
    log = json.loads(sarif(report(decision)))
    jsonschema.Draft7Validator(SARIF).validate(log)
    [run] = log["runs"]
    assert run["invocations"][0]["exitCode"] == code
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [
        "min-safety",
        "max-drop-every-task",
        "max-drop-over_sensitive",
    ]
    second = ("fail", "error") if decision == NO_GO else ("open", "none")
    assert [(result["kind"], result["level"]) for result in run["results"]] == [
        ("pass", "none"),
        second,
        ("open", "none"),
        ("fail", "warning"),
    ]
    place = run["results"][1]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "policies/gate.yaml"}, "region": {"startLine": 5}}
    assert POLICY.splitlines()[4].strip() == "- no task drops by more than 0.03"
    prints = {result["partialFingerprints"]["libraGate/v1"] for result in run["results"]}
    assert len(prints) == 4


def test_a_comment_is_a_table_that_no_name_can_break() -> None:
    text = markdown(report(NO_GO))
    lines = text.splitlines()
    assert lines[0] == "<!-- libra-gate -->"
    assert lines[1] == "### Gate release &lt;1>: NO-GO"
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + 4
    assert {row.replace("\\|", "").count("|") for row in rows} == {9}
    assert "❌ BREACH (warn)" in rows[-1]
    assert "- a note with a \\| and &lt;tags>" in lines
    assert "\x1b" not in text
