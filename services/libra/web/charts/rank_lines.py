"""The rank of each model at every weight of safety against capability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from libra.web.charts import svg
from libra.web.charts.labels import shorten
from libra.web.charts.scale import Scale

WIDTH, ROW_HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760.0, 26.0, 36.0, 210.0, 14.0, 44.0
MAX_LINES = 15
HUES = 8
"""Classes `line-0` to `line-7` of the style sheet."""


@dataclass(frozen=True, slots=True)
class Range:
    """A range of weights with the same ranking, the best model first."""

    low: float
    high: float
    models: Sequence[str]


def draw(ranges: Sequence[Range]) -> Markup:
    """Return the chart of the models that are among the first MAX_LINES somewhere."""
    rows = min(MAX_LINES, max((len(each.models) for each in ranges), default=0))
    height = TOP + ROW_HEIGHT * rows + BOTTOM
    x = Scale(0.0, 1.0, LEFT, WIDTH - RIGHT)
    parts = [
        svg.text(LEFT - 14, TOP + ROW_HEIGHT * (row + 0.5) + 4, str(row + 1), "tick", "end") for row in range(rows)
    ]
    for value in x.ticks(4):
        parts.append(svg.line(x.at(value), TOP, x.at(value), height - BOTTOM, "grid"))
        parts.append(svg.text(x.at(value), height - BOTTOM + 16, f"{value:.0%}", "tick", "middle"))
    parts.append(svg.text((LEFT + WIDTH - RIGHT) / 2, height - 6, "weight of safety →", "axis", "middle"))
    last = list(ranges[-1].models) if ranges else []
    # A model that is among the last places at one end may have none at the other.
    models = dict.fromkeys([*last, *(model for each in ranges for model in each.models[:rows])])
    positions = [{model: rank for rank, model in enumerate(each.models)} for each in ranges]
    parts += [_line(model, line, ranges, positions, x, rows) for line, model in enumerate(models)]
    return svg.figure(WIDTH, height, "Ranks of the models by the weight of safety", *parts, class_="chart ranks")


def _line(
    model: str,
    last_rank: int,
    ranges: Sequence[Range],
    positions: Sequence[Mapping[str, int]],
    x: Scale,
    rows: int,
) -> Markup:
    """Return the steps of one model, and its name at the right; the part below the last row is not drawn."""
    runs: list[list[tuple[float, float]]] = [[]]
    for each, ranks in zip(ranges, positions, strict=True):
        rank = ranks.get(model, rows)
        if rank >= rows:
            runs.append([])
            continue
        y = TOP + ROW_HEIGHT * (rank + 0.5)
        runs[-1] += [(x.at(each.low), y), (x.at(each.high), y)]
    class_ = f"rank-line line-{last_rank % HUES}"
    lines = Markup("").join(svg.path(run, class_) for run in runs if run)
    if last_rank >= rows:
        return lines
    name = svg.text(WIDTH - RIGHT + 10, TOP + ROW_HEIGHT * (last_rank + 0.5) + 4, shorten(model, 28), "label")
    return lines + name
