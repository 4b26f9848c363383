"""Formats the decision of a gate, and its calibration, for a terminal of 80 columns."""

from __future__ import annotations

from rich.table import Table

from libra.cli.render.format import ABSENT, outcome_counts, p_value, percent, signed_points
from libra.cli.render.gates.gate_report import AT_LEAST, WARN, GateReport, change_sentences, conclusions, status_name
from libra.cli.render.output import add_row, new_table
from libra.core.gate_names import EVERY_TASK
from libra.v1.gate_pb2 import CalibrateGateResponse, GatePart, GateRule, GateShare


def gate_table(report: GateReport) -> Table:
    """Return one row for each part of each rule; # is the position of the rule in its file."""
    heads = ("value", report.confidence, "limit", "Holm", "n")
    table = new_table("#", "score", "status", *heads, right=["#", *heads], no_wrap=["status"], compact=True)
    for index, rule, part in report.parts:
        add_row(table, index + 1, part.score, _status(rule, part), *_numbers(rule, part))
    return table


def paragraphs(report: GateReport) -> list[str]:
    """Return the conclusions, reasons, changed samples and notes."""
    reply = report.reply
    reasons = [f"{part.score}: {part.reason}" for _, _, part in report.parts if part.reason]
    unscored = [
        f"{part.score}: {outcome_counts(part.counts)}"
        for _, _, part in report.parts
        if part.counts.unjudged or part.counts.failed
    ]
    legend = (
        f"Scores are percentages and changes are percentage points, with {report.confidence} intervals. PASS: the "
        f"interval is on the permitted side. BREACH: p is at most {reply.alpha:g} after Holm's correction over "
        f"{reply.tests} tests."
    )
    lists = (("", reasons), ("trials of ", unscored), ("samples of ", change_sentences(reply)), ("note: ", reply.notes))
    found = [f"{prefix}{text}" for prefix, texts in lists for text in dict.fromkeys(texts)]
    return ["", *conclusions(report), "", *found, legend]


def alarms_table(reply: CalibrateGateResponse) -> Table:
    """Return the shares of A/A comparisons by their decision, then the breaches of each rule."""
    table = new_table("A/A comparisons", "count", "share", "95 %", right=["count", "share", "95 %"])
    for name, share in (
        ("NO-GO: false alarms", reply.false_alarms),
        ("GO", reply.passes),
        ("INCONCLUSIVE", reply.inconclusive),
    ):
        add_row(table, name, *_share(share))
    table.add_section()
    for each in reply.rules:
        add_row(table, f"breach of: {describe_rule(each.rule)}", *_share(each.breaches))
    return table


def alarm_sentences(reply: CalibrateGateResponse) -> list[str]:
    """Return whether the promise is kept, and the notes."""
    rate, promise = reply.false_alarms, f"the promised {percent(reply.alpha)} %"
    if rate.low > reply.alpha:
        verdict = f"This gate raises more false alarms than {promise}."
    elif rate.high <= reply.alpha:
        verdict = f"This gate raises at most {promise} of false alarms."
    else:
        verdict = f"The interval includes {promise} of false alarms; more --repetitions narrow it."
    used = f"Verdicts of {', '.join(reply.models)} were resampled so that nothing changed."
    return ["", verdict, used, *(f"note: {note}" for note in reply.notes)]


def describe_rule(rule: GateRule) -> str:
    """Return a rule in the form in which a policy file states it."""
    if rule.condition == AT_LEAST:
        return f"{'every task' if rule.score == EVERY_TASK else rule.score} >= {rule.limit:g}"
    if rule.score == EVERY_TASK:
        return f"no task drops by more than {rule.limit:g}"
    return f"{rule.score} drops by at most {rule.limit:g}"


def _status(rule: GateRule, part: GatePart) -> str:
    return f"{status_name(part)} (warn)" if rule.tier == WARN else status_name(part)


def _numbers(rule: GateRule, part: GatePart) -> list[str]:
    is_level = rule.condition == AT_LEAST
    limit = f">= {percent(part.limit)}" if is_level else f">= {signed_points(part.limit)}"
    if not part.HasField("value"):
        return [ABSENT, ABSENT, limit, ABSENT, str(part.samples or ABSENT)]
    show = percent if is_level else signed_points
    interval = f"{show(part.low)} to {show(part.high)}" if part.HasField("low") else ABSENT
    p_holm = p_value(part.p_breach_holm if part.HasField("p_breach_holm") else None)
    return [show(part.value), interval, limit, p_holm, str(part.samples)]


def _share(share: GateShare) -> list[str]:
    if not share.total:
        return ["0", ABSENT, ABSENT]
    interval = f"{share.low * 100:.1f} to {share.high * 100:.1f}"
    return [f"{share.count:,}", f"{share.share * 100:.1f}", interval]
