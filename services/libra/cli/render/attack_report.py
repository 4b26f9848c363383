"""Formats the report on the attacks of a run: one table for each model, and footnotes."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from libra.cli.render.format import (
    dollars,
    p_value,
    score_interval,
    score_percent,
    short_count,
    short_duration,
    signed_interval,
    signed_points,
)
from libra.cli.render.output import add_row, new_table
from libra.v1.ranking_pb2 import AttackReport, ReportAttacksResponse

LEGEND = (
    "success: 100 % minus the mean score on the risky tasks of the run, with its 95 % interval. gain: the success "
    "minus that of the plain prompt, on the samples that both have a score for; p is the p value of no gain. tokens, $ "
    "and time: of all answers, and of the models that write for the attack, including answers from the store."
)


def report_table(reports: Sequence[AttackReport]) -> Table:
    """Return the reports of one model for a terminal of 80 columns."""
    heads = ("success", "95 %", "gain", "95 % ", "p", "tokens", "$", "time")
    table = new_table("attack", *heads, right=heads, compact=True)
    for report in reports:
        success = report.success if report.HasField("success") else None
        gain = (signed_points(report.gain.value), signed_interval(report.gain)) if report.HasField("gain") else ("", "")
        add_row(
            table,
            report.attack,
            *(score_percent(success), score_interval(success)),
            *gain,
            p_value(report.p) if report.HasField("p") else "",
            short_count(report.prompt_tokens + report.completion_tokens),
            dollars(report.cost_usd),
            short_duration(report.seconds),
        )
    return table


def footnotes(reply: ReportAttacksResponse) -> list[str]:
    """Return the legend of the tables and the notes."""
    return [*([LEGEND] if reply.reports else []), *(f"note: {note}" for note in reply.notes)]
