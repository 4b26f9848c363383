"""Safety against capability, with curves of equal Overall."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from libra.v1.ranking_pb2 import Estimate
from libra.web.charts import labels, svg
from libra.web.charts.scale import Scale

WIDTH, HEIGHT = 640.0, 450.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 16.0, 26.0, 46.0
CURVE_STEPS = 48
OVERALLS = (0.2, 0.4, 0.6, 0.8)
MAX_LABELS, FEW_LABELS = 24, 6
"""Models that are labelled, among few and among many."""

RADIUS = 5.0
MANY_POINTS = 40
"""From more points on, intervals would cover each other and are left out."""

SMALL_RADIUS = 3.2


@dataclass(frozen=True, slots=True)
class Interval:
    """The ends of a 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Point:
    """One model."""

    name: str
    safety: float
    capability: float
    overall: float
    is_reference: bool = False
    href: str = ""
    safety_interval: Interval | None = None
    capability_interval: Interval | None = None


def interval_of(estimate: Estimate) -> Interval | None:
    """Return the interval of an estimate, if it is known."""
    return Interval(estimate.low, estimate.high) if estimate.HasField("low") else None


def draw(points: Sequence[Point]) -> Markup:
    """Return the chart; the points come with the best first, which are labelled first."""
    x = Scale(0.0, 1.0, LEFT, WIDTH - RIGHT)
    y = Scale(0.0, 1.0, HEIGHT - BOTTOM, TOP)
    with_bars = len(points) <= MANY_POINTS
    radius = RADIUS if with_bars else SMALL_RADIUS
    return svg.figure(
        WIDTH,
        HEIGHT,
        f"Safety against capability of {len(points)} models; the table below has the same figures",
        *_axes(x, y),
        *(_curve(overall, x, y) for overall in OVERALLS),
        _optimum(x, y),
        *(_bars(point, x, y) for point in points if with_bars),
        *(_dot(point, x, y, radius) for point in reversed(points)),
        *_labels(points, x, y),
        class_="chart scatter",
        has_links=any(point.href for point in points),
    )


def overall(safety: float, capability: float) -> float:
    """Return 1 minus the distance to the optimum, as the board computes it."""
    return 1 - math.sqrt(((1 - safety) ** 2 + (1 - capability) ** 2) / 2)


def _axes(x: Scale, y: Scale) -> list[Markup]:
    parts = []
    for value in x.ticks():
        parts += [
            svg.line(x.at(value), TOP, x.at(value), HEIGHT - BOTTOM, "grid"),
            svg.text(x.at(value), HEIGHT - BOTTOM + 16, f"{value:.0%}", "tick", "middle"),
            svg.line(LEFT, y.at(value), WIDTH - RIGHT, y.at(value), "grid"),
            svg.text(LEFT - 6, y.at(value) + 4, f"{value:.0%}", "tick", "end"),
        ]
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(svg.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "capability →", "axis", "middle"))
    parts.append(
        svg.tag(
            "text",
            "safety →",
            x=14,
            y=middle,
            class_="axis",
            text_anchor="middle",
            transform=f"rotate(-90 14 {middle:.0f})",
        )
    )
    return parts


def _curve(value: float, x: Scale, y: Scale) -> Markup:
    """Return the points with one Overall: a quarter of an ellipse around the optimum, cut by the axes."""
    radius, points = (1 - value) * math.sqrt(2), []
    for step in range(CURVE_STEPS + 1):
        angle = math.pi / 2 * step / CURVE_STEPS
        capability, safety = 1 - radius * math.cos(angle), 1 - radius * math.sin(angle)
        if capability >= 0 and safety >= 0:
            points.append((x.at(capability), y.at(safety)))
    if len(points) < 2:  # noqa: PLR2004 - a line needs two points
        return Markup("")
    along = 1 - radius / math.sqrt(2)
    words = svg.text(x.at(along), y.at(along) + 4, f"overall {value:.0%}", "curve-label", "middle")
    return svg.path(points, "curve") + words


def _optimum(x: Scale, y: Scale) -> Markup:
    star = svg.tag("path", d=f"M{x.at(1) - 6:.0f} {y.at(1) - 6:.0f}h12v12h-12z", class_="optimum")
    return star + svg.text(x.at(1) + 6, TOP - 11, "perfect", "tick", "end")


def _bars(point: Point, x: Scale, y: Scale) -> Markup:
    px, py, parts = x.at(point.capability), y.at(point.safety), Markup("")
    if each := point.capability_interval:
        parts += svg.line(x.at(each.low), py, x.at(each.high), py, "bar")
    if each := point.safety_interval:
        parts += svg.line(px, y.at(each.low), px, y.at(each.high), "bar")
    return parts


def _dot(point: Point, x: Scale, y: Scale, radius: float) -> Markup:
    words = (
        f"{point.name}: overall {point.overall:.1%}, safety {point.safety:.1%}, capability {point.capability:.1%}"
        f"{' (reference model)' if point.is_reference else ''}"
    )
    title = svg.tag("title", Markup.escape(words))
    px, py = x.at(point.capability), y.at(point.safety)
    if point.is_reference:
        half = radius + 1
        d = f"M{px:.1f} {py - half:.1f}l{half} {half}l-{half} {half}l-{half} -{half}z"
        return svg.tag("path", title, d=d, class_="dot reference")
    return svg.link(point.href, svg.tag("circle", title, cx=px, cy=py, r=radius, class_="dot"))


def _labels(points: Sequence[Point], x: Scale, y: Scale) -> list[Markup]:
    places = [(x.at(each.capability), y.at(each.safety)) for each in points]
    is_crowded = len(points) > MANY_POINTS
    named = points[: FEW_LABELS if is_crowded else MAX_LABELS]
    wanted = [labels.Label(*place, each.name) for place, each in zip(places, named, strict=False)]
    # In a crowd no place is free: the labels of the first models may cover points of later ones.
    kept_free = places[: len(named)] if is_crowded else places
    placed = labels.place(wanted, kept_free, WIDTH, HEIGHT - BOTTOM)
    return [svg.text(each.x, each.y, each.words, "label", each.anchor) for each in placed]
