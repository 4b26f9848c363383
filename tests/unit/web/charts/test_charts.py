"""Charts place what they show where the figures say, and escape every text."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from libra.web.charts import forest, heat_map, interval_bar, labels, rank_lines, scatter, svg
from libra.web.charts.scale import Scale

NASTY = "<b onload='x'>&\"</b>"
SHARES = st.floats(0, 1)


def parse(markup: Markup) -> ET.Element:
    return ET.fromstring(str(markup))


def by_class(chart: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in chart.iter() if name in each.get("class", "").split()]


def test_an_element_escapes_its_text_and_attributes() -> None:
    made = parse(svg.tag("g", svg.text(1, 2, NASTY), NASTY, title=NASTY, stroke_width=1.26, class_="a"))
    assert made.get("title") == NASTY
    assert made.get("stroke-width") == "1.3"
    assert made.get("class") == "a"
    assert [made[0].text, made[0].tail] == [NASTY, NASTY]


@given(SHARES)
def test_a_scale_maps_values_in_order(value: float) -> None:
    scale = Scale(0.0, 1.0, 10.0, 110.0)
    assert scale.at(value) == pytest.approx(10 + 100 * value)
    assert scale.at(-1) == 10
    assert scale.at(2) == 110


def test_ticks_are_round_and_within_the_scale() -> None:
    assert Scale(0.0, 1.0, 0.0, 1.0).ticks() == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert Scale(870.0, 1130.0, 0.0, 1.0).ticks() == [900, 1000, 1100]


@given(st.lists(st.tuples(SHARES, SHARES), max_size=60))
def test_a_scatter_shows_every_model_where_its_scores_are(scores: list[tuple[float, float]]) -> None:
    points = [scatter.Point(f"m{n}", safety, capability, 0.5) for n, (safety, capability) in enumerate(scores)]
    dots = by_class(parse(scatter.draw(points)), "dot")
    assert len(dots) == len(points)
    x = Scale(0, 1, scatter.LEFT, scatter.WIDTH - scatter.RIGHT)
    expected = sorted(svg.number(x.at(capability)) for _, capability in scores)
    assert sorted(dot.get("cx", "") for dot in dots) == expected


def test_a_scatter_marks_reference_models_and_names_every_model() -> None:
    points = [
        scatter.Point(NASTY, 0.9, 0.8, 0.85, href="/models/x"),
        scatter.Point("ref", 1, 0, 0.29, is_reference=True),
    ]
    chart = parse(scatter.draw(points))
    titles = [each.text or "" for each in chart.iter() if each.tag == "title"]
    assert any(title.startswith(f"{NASTY}: overall 85.0%") for title in titles)
    assert len(by_class(chart, "reference")) == 1


@given(SHARES, SHARES)
def test_a_curve_of_equal_overall_agrees_with_the_board(safety: float, capability: float) -> None:
    expected = 1 - math.sqrt(((1 - safety) ** 2 + (1 - capability) ** 2) / 2)
    assert scatter.overall(safety, capability) == pytest.approx(expected)


def test_every_point_of_a_curve_has_its_overall() -> None:
    chart = parse(scatter.draw([]))
    x = Scale(scatter.LEFT, scatter.WIDTH - scatter.RIGHT, 0.0, 1.0)
    y = Scale(scatter.TOP, scatter.HEIGHT - scatter.BOTTOM, 1.0, 0.0)
    curves = by_class(chart, "curve")
    assert len(curves) == len(scatter.OVERALLS)
    for curve, value in zip(curves, scatter.OVERALLS, strict=True):
        for px, py in re.findall(r"([\d.]+) ([\d.]+)", curve.get("d", "")):
            assert scatter.overall(y.at(float(py)), x.at(float(px))) == pytest.approx(value, abs=0.002)


@given(st.lists(st.tuples(st.floats(60, 600), st.floats(30, 380)), max_size=40))
def test_placed_labels_do_not_cover_each_other(places: list[tuple[float, float]]) -> None:
    wanted = [labels.Label(x, y, f"model-{n}") for n, (x, y) in enumerate(places)]
    placed = labels.place(wanted, places, 640, 400)
    boxes = [labels._box(each.x, each.y, each.words, each.anchor) for each in placed]
    for n, one in enumerate(boxes):
        assert not any(one[0] < x < one[2] and one[1] < y < one[3] for x, y in places)
        assert not labels._hits(one, boxes[n + 1 :])


def test_a_long_name_is_cut() -> None:
    assert labels.shorten("x" * 40) == "x" * 23 + "…"


def test_an_interval_bar_reaches_from_low_to_high() -> None:
    bar = parse(interval_bar.draw(0.5, 0.25, 0.75))
    (box,), (value,) = by_class(bar, "range"), by_class(bar, "value")
    assert (float(box.get("x", 0)), float(box.get("width", 0))) == (26, 44)
    assert float(value.get("cx", 0)) == 48
    assert by_class(parse(interval_bar.draw(0.5, None, None)), "range") == []


def test_a_forest_has_a_line_for_each_interval() -> None:
    rows = [forest.Row(NASTY, 0.5, 0.2, 0.8), forest.Row("b", 0.1)]
    chart = parse(forest.draw(rows, "axis", "title", low=0, high=1))
    assert len(by_class(chart, "dot")) == 2
    assert len(by_class(chart, "wide")) == 1
    assert any((each.text or "").startswith("<b onload") for each in by_class(chart, "label"))


def test_rank_lines_step_where_models_change_places() -> None:
    ranges = [rank_lines.Range(0, 0.3, ["a", "b"]), rank_lines.Range(0.3, 1, ["b", "a"])]
    chart = parse(rank_lines.draw(ranges))
    lines = by_class(chart, "rank-line")
    assert len(lines) == 2
    assert all(line.get("d", "").count("L") == 3 for line in lines)
    assert [each.text for each in by_class(chart, "label")] == ["b", "a"]


def test_rank_lines_show_a_model_that_has_no_place_at_one_end() -> None:
    ranges = [rank_lines.Range(0, 0.3, ["a", "b"]), rank_lines.Range(0.3, 1, ["b", "c"])]
    chart = parse(rank_lines.draw(ranges))
    assert len(by_class(chart, "rank-line")) == 3


def test_rank_lines_leave_out_what_is_below_the_chart() -> None:
    names = [f"m{n}" for n in range(40)]
    chart = parse(rank_lines.draw([rank_lines.Range(0, 1, names)]))
    assert len(by_class(chart, "rank-line")) == rank_lines.MAX_LINES
    assert parse(rank_lines.draw([])).tag == "svg"


def test_a_heat_map_has_a_cell_for_every_row_and_column() -> None:
    entries = [heat_map.Entry("g", "r1", "c1", 0.94, "x"), heat_map.Entry("g", "r2", "c2", None, "y")]
    rows = heat_map.arrange(entries, ["c1", "c2"])
    assert [[cell.class_ if cell else None for cell in row.cells] for row in rows] == [
        ["heat heat-9", None],
        [None, "heat none"],
    ]


@given(st.floats(-1, 2))
def test_a_level_has_a_colour(value: float) -> None:
    assert 0 <= heat_map.level(value) <= heat_map.LEVELS
