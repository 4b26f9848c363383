"""A value with its interval on a line from 0 to 1, small enough for a cell of a table."""

from __future__ import annotations

from markupsafe import Markup

from libra.web.charts import svg
from libra.web.charts.scale import Scale

WIDTH, HEIGHT, MARGIN = 96.0, 14.0, 4.0
MIDDLE = HEIGHT / 2


def draw(value: float, low: float | None, high: float | None) -> Markup:
    """Return the bar. It is hidden from screen readers, since the figures stand beside it."""
    scale = Scale(0.0, 1.0, MARGIN, WIDTH - MARGIN)
    parts = [svg.line(scale.at(0), MIDDLE, scale.at(1), MIDDLE, "track")]
    if low is not None and high is not None:
        left, right = scale.at(low), scale.at(high)
        parts.append(
            svg.tag("rect", x=left, y=MIDDLE - 3, width=max(1.0, right - left), height=6, rx=3, class_="range")
        )
    parts.append(svg.tag("circle", cx=scale.at(value), cy=MIDDLE, r=3.2, class_="value"))
    return svg.tag(
        "svg",
        *parts,
        viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        width=WIDTH,
        height=HEIGHT,
        class_="interval",
        aria_hidden="true",
    )
