"""Exports the decision of a gate: JUnit XML, SARIF 2.1.0, and a comment for a pull request in Markdown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from importlib.metadata import version
from typing import Any
from xml.etree import ElementTree as ET

from libra.cli.exit_codes import GATE_INCONCLUSIVE, NEEDS_ATTENTION
from libra.cli.render.format import p_value
from libra.cli.render.gates.gate_report import (
    BREACH,
    GO,
    NO_GO,
    PASS,
    WARN,
    GateReport,
    change_sentences,
    conclusions,
    describe_part,
    rule_id,
    status_name,
)
from libra.cli.render.gates.gate_table import describe_rule
from libra.cli.render.sanitize import escape_json, sanitize
from libra.v1.gate_pb2 import CheckGateResponse, GatePart, GateRule

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MARKER = "<!-- libra-gate -->"
"""The first line of a comment, by which a pipeline finds it again to replace it."""

MARKS = {"PASS": "✅", "BREACH": "❌", "INSUFFICIENT": "❔", "MISSING": "❔"}


def exit_code(reply: CheckGateResponse) -> int:
    """Return 0 for GO, 1 for NO-GO and 3 for INCONCLUSIVE."""
    return {GO: 0, NO_GO: NEEDS_ATTENTION}.get(reply.decision, GATE_INCONCLUSIVE)


def junit(report: GateReport) -> str:
    """Return a test suite with one test case for each part of each rule.

    A breach is a failure; a part of the tier block that is not decided is an error. Neither is one in the tier warn.
    """
    suite = ET.Element("testsuite", name=_xml(f"libra gate {report.title}"), time="0")
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for index, rule, part in report.parts:
        totals["tests"] += 1
        name = f"{part.score}: {report.text_of(index)}"
        case = ET.SubElement(suite, "testcase", name=_xml(name), classname=_xml(report.model), time="0")
        sentence, kind = _xml(describe_part(rule, part, report.confidence)), _junit_kind(rule, part)
        if kind is not None:
            element, total = kind
            totals[total] += 1
            problem = ET.SubElement(case, element, message=sentence)
            if element != "skipped":
                problem.set("type", status_name(part))
        ET.SubElement(case, "system-out").text = f"{status_name(part)}: {sentence}"
    for name, count in totals.items():
        suite.set(name, str(count))
    ET.SubElement(suite, "system-out").text = _xml("\n".join([*conclusions(report), *report.reply.notes]))
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}'


def sarif(report: GateReport) -> str:
    """Return a SARIF log with one result for each part of each rule, at the line of the rule in the policy file."""
    rules = {rule_id(rule): (index, rule) for index, rule, _ in report.parts}
    run = {
        "tool": {
            "driver": {
                "name": "libra gate",
                "semanticVersion": version("libra"),
                "rules": [
                    {
                        "id": identifier,
                        "shortDescription": {"text": sanitize(describe_rule(rule))},
                        "defaultConfiguration": {"level": "warning" if rule.tier == WARN else "error"},
                    }
                    for identifier, (_, rule) in rules.items()
                ],
            }
        },
        "invocations": [{"executionSuccessful": True, "exitCode": exit_code(report.reply)}],
        "results": [_sarif_result(report, index, rule, part) for index, rule, part in report.parts],
    }
    return escape_json(json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2))


def markdown(report: GateReport) -> str:
    """Return a comment for a pull request."""
    heads = f"| | rule | score | value | {report.confidence} | limit | p (Holm) | samples |"
    lines = [MARKER, f"### Gate {_cell(report.title)}: {report.decision}", ""]
    lines += [_cell(sentence) for sentence in conclusions(report)]
    lines += ["", heads, "|---|---|---|--:|--:|--:|--:|--:|"]
    lines += [_markdown_row(report, index, rule, part) for index, rule, part in report.parts]
    for title, sentences in (("Samples", change_sentences(report.reply)), ("Notes", report.reply.notes)):
        if sentences:
            items = "\n".join(f"- {_cell(sentence)}" for sentence in sentences)
            lines += ["", f"<details><summary>{title}</summary>", "", items, "", "</details>"]
    return "\n".join(lines)


def _junit_kind(rule: GateRule, part: GatePart) -> tuple[str, str] | None:
    """Return the element of a test case that did not pass, and the total that counts it; None if it passed."""
    if part.status == PASS:
        return None
    if rule.tier == WARN:
        return "skipped", "skipped"
    return ("failure", "failures") if part.status == BREACH else ("error", "errors")


def _sarif_result(report: GateReport, index: int, rule: GateRule, part: GatePart) -> dict[str, Any]:
    identifier = rule_id(rule)
    kind = {PASS: "pass", BREACH: "fail"}.get(part.status, "open")
    level = ("warning" if rule.tier == WARN else "error") if kind == "fail" else "none"
    fingerprint = hashlib.sha256(f"{identifier}/{part.score}/{report.model}".encode()).hexdigest()
    location = {
        "artifactLocation": {"uri": report.file.name.replace("\\", "/")},
        "region": {"startLine": report.file.lines.get(f"rules[{index}]", 1)},
    }
    return {
        "ruleId": identifier,
        "kind": kind,
        "level": level,
        "message": {"text": sanitize(describe_part(rule, part, report.confidence))},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"libraGate/v1": fingerprint},
    }


def _markdown_row(report: GateReport, index: int, rule: GateRule, part: GatePart) -> str:
    status = status_name(part)
    tier = " (warn)" if rule.tier == WARN else ""
    value = f"{part.value:.3f}" if part.HasField("value") else part.reason
    interval = f"{part.low:.3f} to {part.high:.3f}" if part.HasField("low") else ""
    p_holm = p_value(part.p_breach_holm) if part.HasField("p_breach_holm") else ""
    cells = (
        f"{MARKS[status]} {status}{tier}",
        report.text_of(index),
        part.score,
        value,
        interval,
        f"{part.limit:g}",
        p_holm,
        str(part.samples),
    )
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return " ".join(sanitize(text).replace("|", "\\|").replace("<", "&lt;").split())


def _xml(text: str) -> str:
    """Return the text without the characters that XML cannot contain."""
    return "".join(char for char in sanitize(text) if char in "\n\t" or char >= " ")


EXPORTS: dict[str, Callable[[GateReport], str]] = {"junit": junit, "sarif": sarif, "markdown": markdown}
"""The formats besides the table and JSON."""
