"""The rankings at every weight between safety and capability, as text for a terminal of 80 columns."""

from __future__ import annotations

import textwrap

from rich.table import Table

from libra.cli.render.output import add, columns
from libra.cli.render.sanitize import plain
from libra.v1.ranking_pb2 import GetWeightsResponse

LINE = 79
LEGEND = (
    "Weights are percent of safety, the rest is capability's: 0 ranks by capability alone, 100 by safety alone, and 50 as Overall "
    "does. Overall with the weight w is 1 - sqrt(w (1 - safety)^2 + (1 - w) (1 - capability)^2)."
)


def ranges_of(answer: GetWeightsResponse) -> Table:
    """Return the ranges of weight with the ranking over each, the best model first."""
    table = columns("weight", "ranking", whole=("weight",))
    for each in answer.ranges:
        models = ", ".join(f"{rank} {model}" for rank, model in enumerate(each.models, 1))
        add(table, f"{_percent(each.low)} to {_percent(each.high)}", models)
    return table


def crossings_of(answer: GetWeightsResponse) -> Table:
    """Return where two models change places."""
    table = columns("at", "better above", "better below", right=("at",))
    for each in answer.crossings:
        add(table, _percent(each.weight), each.above, each.below)
    return table


def remarks(answer: GetWeightsResponse) -> list[str]:
    """Return what must be known to read the tables."""
    lines = ["", LEGEND] if answer.ranges else []
    if len(answer.ranges) == 1:
        lines.append("The ranking is the same at every weight.")
    if answer.left_out:
        lines.append(f"note: without an Overall, and left out: {', '.join(answer.left_out)}")
    lines += [f"note: {note}" for note in answer.notes]
    return [textwrap.fill(plain(line), LINE) for line in lines]


def _percent(weight: float) -> str:
    return f"{weight * 100:.1f}"
