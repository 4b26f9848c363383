"""Values with their intervals, one below the other on a common axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from libra.web.charts import svg
from libra.web.charts.labels import shorten
from libra.web.charts.scale import Scale

WIDTH, ROW_HEIGHT, LABEL_WIDTH, TOP, BOTTOM, RIGHT = 640.0, 24.0, 230.0, 6.0, 40.0, 30.0
LABEL_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Row:
    """One value."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    href: str = ""
    class_: str = ""


def draw(rows: Sequence[Row], axis: str, title: str, *, low: float, high: float, form: str = ".0%") -> Markup:
    """Return the chart with an axis from `low` to `high`; `form` writes the ticks."""
    height = TOP + ROW_HEIGHT * len(rows) + BOTTOM
    x = Scale(low, high, LABEL_WIDTH, WIDTH - RIGHT)
    parts = []
    for value in x.ticks():
        parts.append(svg.line(x.at(value), TOP, x.at(value), height - BOTTOM, "grid"))
        parts.append(svg.text(x.at(value), height - BOTTOM + 16, format(value, form), "tick", "middle"))
    parts.append(svg.text((LABEL_WIDTH + WIDTH - RIGHT) / 2, height - 6, axis, "axis", "middle"))
    parts += [_row(row, TOP + ROW_HEIGHT * (n + 0.5), x) for n, row in enumerate(rows)]
    return svg.figure(WIDTH, height, title, *parts, class_="chart forest", has_links=any(row.href for row in rows))


def _row(row: Row, y: float, x: Scale) -> Markup:
    name = svg.text(LABEL_WIDTH - 10, y + 4, shorten(row.name, LABEL_CHARACTERS), "label", "end")
    bar = Markup("")
    if row.low is not None and row.high is not None:
        bar = svg.line(x.at(row.low), y, x.at(row.high), y, f"bar wide {row.class_}")
    words = svg.tag("title", Markup.escape(row.name))
    return (
        svg.link(row.href, name)
        + bar
        + svg.tag("circle", words, cx=x.at(row.value), cy=y, r=4.5, class_=f"dot {row.class_}")
    )
