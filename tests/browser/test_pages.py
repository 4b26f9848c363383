"""Every page opens: the console is silent, axe-core finds nothing serious, and nothing scrolls sideways."""

from __future__ import annotations

import pytest

from .conftest import OpenReader
from .evaluation import Evaluation
from .pretend_models import INJECTIONS

PAGES = {
    "board": "/",
    "board of a category": "/?category=adversarial&sort=safety&order=asc",
    "board of a run": "/?run={run}&references=hide",
    "weights": "/weights",
    "model": "/models/basalt-8b-instruct",
    "model with injections": "/models/injector",
    "rounds": "/rounds",
    "round": "/rounds/{round}",
    "learn": "/learn",
    "arena": "/arena",
    "ratings": "/ratings",
    "unknown page": "/nothing-here",
    "unknown filter": "/?colour=red",
}
STATUS = {"unknown page": 404, "unknown filter": 400}
STATES = ((1440, "light"), (390, "dark"))
"""Every width and every colour scheme once: what depends on both together is the same style sheet."""


def path_of(name: str, evaluation: Evaluation) -> str:
    return PAGES[name].format(run=evaluation.run, round=evaluation.round)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_silent_accessible_and_fits(open_reader: OpenReader, evaluation: Evaluation, name: str) -> None:
    reader = open_reader()
    reader.open(path_of(name, evaluation), status=STATUS.get(name, 200))
    assert reader.page.locator("h1").count() == 1
    for width, scheme in STATES:
        reader.show_as(width, scheme)
        assert reader.overflow_pixels() <= 0, width
        assert reader.accessibility_problems() == [], (width, scheme)
    assert reader.problems == []


def test_every_page_is_read_without_javascript(open_reader: OpenReader, evaluation: Evaluation) -> None:
    reader = open_reader(javascript=False)
    for name in PAGES:
        page = reader.open(path_of(name, evaluation), status=STATUS.get(name, 200))
        assert page.locator("h1").count() == 1, name
        assert page.locator("nav[aria-label=Pages] a").count() > 3, name


def test_filters_work_without_javascript(open_reader: OpenReader, evaluation: Evaluation) -> None:
    page = open_reader(javascript=False).open("/")
    page.click("summary:has-text('Choose what counts')")
    page.select_option("select[name=run]", evaluation.run)
    page.select_option("select[name=references]", "hide")
    page.click("button:has-text('Show')")
    assert f"run={evaluation.run}" in page.url
    assert page.locator("table.board tbody tr").count() == 5
    page.click("a[aria-label='Remove the filter without reference models']")
    assert page.locator("table.board tbody tr").count() == 8


def test_a_click_on_a_head_sorts_and_the_link_shows_the_same_to_others(
    open_reader: OpenReader, evaluation: Evaluation
) -> None:
    page = open_reader().open(f"/?run={evaluation.run}")
    page.click("table.board th a:has-text('capability')")
    first = page.locator("table.board tbody th").first.inner_text()
    assert "aurora-72b" in first
    page.click("table.board th a:has-text('capability')")
    shared = page.url.partition("/?")[2]
    other = open_reader().open(f"/?{shared}")
    assert "aurora-72b" not in other.locator("table.board tbody th").first.inner_text()
    assert other.locator("table.board tbody").inner_text() == page.locator("table.board tbody").inner_text()


def test_the_slider_shows_the_ranking_at_each_weight(open_reader: OpenReader, evaluation: Evaluation) -> None:
    page = open_reader().open(f"/weights?run={evaluation.run}&weight=0")
    by_capability = page.locator("#ranking li").all_inner_texts()
    page.locator("#weight").press("End")
    assert page.locator("#weight-shown").inner_text() == "100 %"
    by_safety = page.locator("#ranking li").all_inner_texts()
    assert by_capability != by_safety
    page.reload()
    assert "weight=100" in page.url
    assert page.locator("#ranking li").all_inner_texts() == by_safety


def test_names_that_others_chose_run_nothing(open_reader: OpenReader, evaluation: Evaluation) -> None:
    reader = open_reader()
    for path in (f"/?run={evaluation.injected_run}", "/models/injector", "/"):
        page = reader.open(path)
        assert page.evaluate("window.injected") is None
    assert INJECTIONS[0] in (page.locator("select[name=run]").text_content() or "")
    assert reader.problems == []


def test_scripts_of_others_would_not_run(open_reader: OpenReader, evaluation: Evaluation) -> None:
    page = open_reader().open("/")
    page.evaluate(
        """() => {
            const box = document.createElement("div");
            box.innerHTML = "<img src=x onerror='window.injected = 1'><b hx-get='/' hx-trigger='load'>b</b>";
            document.body.append(box);
            const script = document.createElement("script");
            script.textContent = "window.injected = 2";
            document.body.append(script);
        }"""
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.injected") is None
