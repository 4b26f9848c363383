"""Formats the rankings of `libra board --weights`: one for each range of weights between safety and capability."""

from __future__ import annotations

from rich.table import Table

from libra.cli.render.output import add_row, new_table
from libra.v1.ranking_pb2 import GetWeightsResponse

LEGEND = (
    "A weight is the percentage of safety in Overall; capability has the rest. 0 ranks by capability alone, 100 by "
    "safety alone, and 50 is the Overall of the board. At the weight w, Overall is "
    "1 - sqrt(w (1 - safety)^2 + (1 - w) (1 - capability)^2)."
)


def ranges_table(reply: GetWeightsResponse) -> Table:
    """Return each range of weights with its ranking, the best model first."""
    table = new_table("weight", "ranking", no_wrap=("weight",))
    for weights in reply.ranges:
        models = ", ".join(f"{rank} {model}" for rank, model in enumerate(weights.models, 1))
        add_row(table, f"{_percent(weights.low)} to {_percent(weights.high)}", models)
    return table


def crossings_table(reply: GetWeightsResponse) -> Table:
    """Return each weight at which two models exchange their ranks."""
    table = new_table("weight", "better above it", "better below it", right=("weight",))
    for crossing in reply.crossings:
        add_row(table, _percent(crossing.weight), crossing.above, crossing.below)
    return table


def footnotes(reply: GetWeightsResponse) -> list[str]:
    """Return the paragraphs below the tables."""
    lines = ["", LEGEND] if reply.ranges else []
    if len(reply.ranges) == 1:
        lines.append("The ranking is the same at every weight.")
    if reply.left_out:
        lines.append(f"note: without an Overall and therefore left out: {', '.join(reply.left_out)}")
    return [*lines, *(f"note: {note}" for note in reply.notes)]


def _percent(weight: float) -> str:
    return f"{weight * 100:.1f}"
