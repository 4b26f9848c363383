"""Formats the trade-offs of `libra board --tradeoff`: the rates of each model, and its harm under pressure."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message
from rich.table import Table

from libra.cli.render.format import ABSENT, score_interval, score_percent
from libra.cli.render.output import add_row, new_table
from libra.v1.ranking_pb2 import Estimate, GetTradeoffResponse, Tradeoff, TradeoffPoint

MAX_ATTACKS = 8
"""The most attacks of a model in the table, those with the most harm; JSON has all."""

RATES_LEGEND = (
    "harm: 1 - the mean score of the plain risky tasks; over-ref.: 1 - that of the over-sensitive tasks; dist.: "
    "sqrt((harm^2 + over-ref.^2) / 2), the distance to the optimum 0. All are percentages with 95 % intervals. + marks "
    "a model to which no other is as good in both rates and better in one."
)
CURVE_LEGEND = (
    "d': how well it tells harmful prompts from harmless ones, in standard deviations. c: above 0 it complies more "
    "readily than it refuses, below 0 it refuses more readily. A model with more d' can be better in both rates; more "
    "or less c trades one for the other. --json has the curve that d' implies."
)


def rates_table(reply: GetTradeoffResponse) -> Table:
    """Return one row for each model."""
    heads = ("harm", "95 %", "over-ref.", "95 % ", "dist.", "95 %  ", "d'", "c")
    table = new_table("", "model", *heads, right=heads, compact=True)
    for each in reply.tradeoffs:
        harm, refusal, distance = (_estimate(each, name) for name in ("harm", "over_refusal", "distance"))
        add_row(
            table,
            "+" if each.is_efficient else "",
            each.model,
            *(score_percent(harm), score_interval(harm)),
            *(score_percent(refusal), score_interval(refusal)),
            *(score_percent(distance), score_interval(distance)),
            *(_deviations(_estimate(each, name)) for name in ("discrimination", "bias")),
        )
    return table


def points_table(reply: GetTradeoffResponse) -> Table:
    """Return one row for each model and kind of pressure, with the harm at the plain prompts of the same tasks."""
    heads = ("harm", "95 %", "plain", "dist.", "tasks")
    table = new_table("model", "pressure", *heads, right=heads, compact=True)
    for each in reply.tradeoffs:
        for index, point in enumerate(_shown_points(each)):
            harm = _estimate(point, "harm")
            add_row(
                table,
                "" if index else each.model,
                point.pressure,
                *(score_percent(harm), score_interval(harm)),
                score_percent(_estimate(point, "plain_harm")) if point.is_attack else "",
                score_percent(_estimate(point, "distance")),
                point.tasks,
            )
    return table


def footnotes(reply: GetTradeoffResponse) -> list[str]:
    """Return the paragraphs below the tables: the legend, who is better beyond chance, and the notes."""
    better = [
        f"{each.model} is worse in both rates than {', '.join(each.dominated_by)}, beyond chance."
        for each in reply.tradeoffs
        if each.dominated_by
    ]
    hidden = [
        f"note: {count} more attacks of {each.model}, with less harm, are in --json"
        for each in reply.tradeoffs
        if (count := len(each.points) - len(_shown_points(each)))
    ]
    legend = ["", RATES_LEGEND, CURVE_LEGEND] if reply.tradeoffs else []
    return [*legend, *better, *hidden, *(f"note: {note}" for note in reply.notes)]


def _shown_points(tradeoff: Tradeoff) -> Sequence[TradeoffPoint]:
    plain = [point for point in tradeoff.points if not point.is_attack]
    attacks = [point for point in tradeoff.points if point.is_attack]
    return plain + attacks[-MAX_ATTACKS:]


def _estimate(message: Message, field: str) -> Estimate | None:
    """Return an estimate of a message, None if it is not set."""
    return getattr(message, field) if message.HasField(field) else None


def _deviations(estimate: Estimate | None) -> str:
    return ABSENT if estimate is None else f"{estimate.value:.2f}"
