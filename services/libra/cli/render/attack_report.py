"""Formats the report on the attacks of a run: one table for each model, and footnotes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table

from libra.cli.render.format import (
    ABSENT,
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
from libra.v1.ranking_pb2 import AttackReport, ReportAttacksResponse, Transfer, WorstCase

LEGEND = (
    "success: 100 % minus the mean score on the risky tasks of the run, with its 95 % interval, without the trials "
    "whose prompt the attack left as it was. gain: the success minus that of the plain prompt, on the samples that "
    "both have a score for; p is the p value of no gain. tokens, $ and time: of all answers, and of the models that "
    "write for the attack, including answers from the store; ≥: at least, since the provider did not count the tokens "
    "of some answers."
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
            _at_least(report.prompt_tokens + report.completion_tokens, report.unknown_usage, short_count),
            _at_least(report.cost_usd, report.unknown_usage + report.unknown_price, dollars),
            short_duration(report.seconds),
        )
    return table


TRIES_LEGEND = (
    "success within k tries: the estimated share of samples of which at least one of k trials is broken (its score is "
    "below 0.5), with its 95 % interval."
)
WORST_LEGEND = "worst case: the share of samples that any attack of the run broke, with its 95 % interval."
TRANSFER_LEGEND = (
    "transfer: of the samples that an attack broke on one model, the share that it also broke on another, with its "
    "95 % interval."
)


def tries_table(reports: Sequence[AttackReport]) -> Table | None:
    """Return the success within k tries of one model's attacks; None if no sample has several trials."""
    if not any(report.success_at_k for report in reports):
        return None
    table = new_table("attack", "k", "success", "95 %", right=("k", "success", "95 %"), compact=True)
    for report in reports:
        for each in report.success_at_k:
            add_row(table, report.attack, str(each.k), score_percent(each.success), score_interval(each.success))
    return table


def worst_line(case: WorstCase) -> str:
    """Return the worst case of a model as a line."""
    interval = score_interval(case.success)
    return f"worst case of {len(case.attacks)} attacks: {score_percent(case.success)} % of {case.samples:,} samples" + (
        f" ({interval})" if interval else ""
    )


def transfer_table(transfers: Sequence[Transfer]) -> Table:
    """Return the transfers of the attacks between models."""
    heads = ("samples", "broken too", "95 %")
    table = new_table("attack", "broken on", "then on", *heads, right=heads, compact=True)
    for each in transfers:
        share = (score_percent(each.share), score_interval(each.share))
        add_row(table, each.attack, each.source, each.target, f"{each.broken:,}", *share)
    return table


def _at_least(value: float, unknown: int, write: Callable[[float], str]) -> str:
    """Return tokens or dollars; "≥" before a lower limit, "-" if nothing is known. `unknown` counts answers."""
    if not unknown:
        return write(value)
    return f"≥{write(value)}" if value else ABSENT


def footnotes(reply: ReportAttacksResponse) -> list[str]:
    """Return the legends of the tables and the notes."""
    legends = [
        *([LEGEND] if reply.reports else []),
        *([TRIES_LEGEND] if any(report.success_at_k for report in reply.reports) else []),
        *([WORST_LEGEND] if reply.worst_cases else []),
    ]
    return [*legends, *(f"note: {note}" for note in reply.notes)]
