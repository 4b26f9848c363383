"""The pages of runs, verdicts, comparisons, attacks and judges: they open, and one can work with them."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from libra.local.system import System

from .conftest import OpenReader, Reader
from .evaluation import Evaluation
from .pretend_models import INJECTIONS
from .run_requests import create_run, endless_spec, unjudged_spec

PAGES = {
    "runs": "/runs",
    "run": "/runs/{run}?audit=1",
    "verdicts": "/runs/{run}/verdicts?attack=few_shots&max_score=0.4",
    "nothing_found": "/runs/{run}/verdicts?text=no+such+text",
    "excerpts": "/runs/{run}/verdicts?text=happy+to+help",
    "search": "/verdicts?text=happy+to+help&show=1",
    "search_form": "/verdicts",
    "injected_verdicts": "/runs/{injected}/verdicts",
    "attacks": "/runs/{run}/attacks",
    "judges": "/judges?run={run}",
    "compare": "/compare?model=aurora-72b&other=ember-13b&change=fixed",
    "compare_empty": "/compare",
    "unknown_run": "/runs/nothing",
    "unknown_verdict": "/verdicts/nothing",
    "bad_filter": "/runs/{run}/verdicts?outcome=good",
    "same_sides": "/compare?model=aurora-72b&other=aurora-72b",
}
STATUS = {"unknown_run": 404, "unknown_verdict": 404, "bad_filter": 400}
WINDOWS = ((390, "dark"), (1440, "light"))
VERDICT_LINK = "a[href^='/verdicts/']"
NO_INJECTION = "() => window.injected === undefined"


@pytest.fixture(scope="module")
def undecided_run(system: System, evaluation: Evaluation) -> str:
    del evaluation  # its models are registered first
    return create_run(system, unjudged_spec(), wait=True)


def check(reader: Reader) -> None:
    assert reader.page.locator("h1").count() == 1
    assert reader.accessibility_problems() == []
    assert reader.overflow_pixels() <= 0
    assert reader.problems == []
    assert reader.page.evaluate(NO_INJECTION)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_silent_accessible_and_fits(open_reader: OpenReader, evaluation: Evaluation, name: str) -> None:
    path = PAGES[name].format(run=evaluation.run, injected=evaluation.injected_run)
    reader = open_reader(width=WINDOWS[0][0], scheme=WINDOWS[0][1])
    reader.open(path, status=STATUS.get(name, 200))
    for width, scheme in WINDOWS:
        reader.show_as(width, scheme)
        check(reader)


def test_a_verdict_is_hidden_until_asked_for_and_followed_by_keyboard(
    open_reader: OpenReader, evaluation: Evaluation
) -> None:
    reader = open_reader(width=WINDOWS[0][0], scheme=WINDOWS[0][1])
    page = reader.open(f"/runs/{evaluation.run}/verdicts?task=disguised_requests&attack=few_shots&max_score=0.4")
    page.locator(VERDICT_LINK).first.click()
    expect(page.locator(".blurred").first).to_be_visible()
    check(reader)
    page.get_by_role("button", name="Show them").click()
    expect(page.locator(".blurred")).to_have_count(0)
    expect(page.locator("ins").nth(1)).to_be_visible()
    reader.show_as(*WINDOWS[1])
    check(reader)
    first = page.url
    page.keyboard.press("j")
    page.wait_for_url(lambda url: url != first)
    assert "max_score=0.4" in page.url
    assert page.locator(".blurred").count() == 0
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(first)


def test_verdicts_are_filtered_found_and_paged_without_javascript(
    open_reader: OpenReader, evaluation: Evaluation
) -> None:
    page = open_reader(javascript=False).open(f"/runs/{evaluation.run}/verdicts")
    expect(page.locator(".count")).to_have_text("880 verdicts")
    first = page.locator(VERDICT_LINK).first.inner_text()
    page.get_by_role("link", name="Next →").click()
    assert page.locator(VERDICT_LINK).count() == 50
    page.get_by_role("link", name="← Previous").click()
    assert page.locator(VERDICT_LINK).first.inner_text() == first
    page.get_by_label("Find text").fill("happy to HELP")
    page.locator("select[name=outcome]").select_option("scored")
    page.locator("select[name=model]").select_option("ember-13b")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".count")).to_contain_text("found among 110 verdicts")
    assert re.search(r"text=happy\+to\+HELP.*outcome=scored.*model=ember-13b", page.url)
    page.locator(VERDICT_LINK).first.click()
    assert page.get_by_role("link", name="Next →").get_attribute("href").count("text=happy") == 1  # type: ignore[union-attr]  # a link


def test_injections_are_shown_as_text(open_reader: OpenReader, evaluation: Evaluation) -> None:
    reader = open_reader()
    shown = ""
    page = reader.open(f"/runs/{evaluation.injected_run}/verdicts")
    for url in [link.get_attribute("href") for link in page.locator(VERDICT_LINK).all()][:8]:
        page = reader.open(f"{url}?show=1")
        shown += page.locator(".message.reply").inner_text()
        assert page.evaluate(NO_INJECTION)
    assert any(injection.strip() in shown for injection in INJECTIONS[:2])
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert reader.problems == []


def annotate(page: Page, **fields: str) -> None:
    for label, text in fields.items():
        page.get_by_label(label.replace("_", " ")).fill(text)
    page.get_by_role("button", name="Store the annotation").click()


def test_an_annotation_is_stored_and_shown_as_text(open_reader: OpenReader, evaluation: Evaluation) -> None:
    reader = open_reader()
    page = reader.open(f"/runs/{evaluation.run}/verdicts?model=refuser")
    page.locator(VERDICT_LINK).first.click()
    score = page.locator(".headline").inner_text()
    annotate(page, Your_name=INJECTIONS[0], Your_note=INJECTIONS[1] + INJECTIONS[4], The_score_should_be="0.5")
    expect(page.locator(".annotation")).to_contain_text(INJECTIONS[1])
    expect(page.locator(".annotation")).to_contain_text("[U+202E]")
    expect(page.locator(".annotation")).to_contain_text("should be 0.50")
    assert page.locator(".headline").inner_text() == score
    assert page.evaluate(NO_INJECTION)
    annotate(page, Your_name="ada")
    expect(page.locator(".complaint")).to_contain_text("write a text, or propose a label or a score")
    assert page.get_by_label("Your name").input_value() == "ada"
    assert page.locator(".annotation").count() == 1
    check(reader)
    refused = page.request.post(page.url, form={"author": "eve", "text": "forged"})
    assert refused.status == 403
    page.reload()
    assert page.locator(".annotation").count() == 1


def test_failures_lead_to_their_trials_and_show_what_the_judge_was_shown(
    open_reader: OpenReader, undecided_run: str
) -> None:
    reader = open_reader()
    page = reader.open(f"/runs/{undecided_run}")
    check(reader)
    row = page.get_by_role("region", name="Failures by reason").locator("tbody tr").first
    count = row.locator("td").first.inner_text()
    row.locator("td a").first.click()
    assert page.locator(".verdicts tbody tr").count() == int(count)
    page.locator(VERDICT_LINK).first.click()
    page.get_by_text("Prompt for refuser").click()
    expect(page.get_by_text("Is the answer kind?").last).to_be_visible()
    check(reader)


def test_a_run_is_watched_and_cancelled(open_reader: OpenReader, system: System, evaluation: Evaluation) -> None:
    del evaluation
    run = create_run(system, endless_spec("endless"), wait=False)
    watcher, reader = open_reader(), open_reader(width=390, scheme="dark")
    watched = watcher.open(f"/runs/{run}")
    expect(watched.locator("#progress")).to_contain_text("parked", timeout=20_000)
    page = reader.open(f"/runs/{run}")
    check(reader)
    expect(page.locator(".spent")).to_contain_text("of 1,000 requests")
    assert page.request.post(f"{system.pages_url}/runs/{run}/cancel").status == 403
    page.get_by_text("Cancel this run", exact=True).click()
    page.get_by_role("button", name="Cancel the run for good").click()
    expect(page.locator(".figures")).to_contain_text("cancelled")
    expect(watched.locator(".figures")).to_contain_text("cancelled", timeout=15_000)
    expect(watched.get_by_text("Cancel this run", exact=True)).to_have_count(0)
    assert watcher.problems == []


def test_pages_open_within_a_second(open_reader: OpenReader, evaluation: Evaluation) -> None:
    reader = open_reader()
    reader.open("/runs")
    slowest = {}
    for path in (f"/runs/{evaluation.run}/verdicts", "/compare?model=aurora-72b&other=ember-13b"):
        began = time.perf_counter()
        reader.open(path)
        slowest[path] = time.perf_counter() - began
    assert max(slowest.values()) < 5, slowest  # the machine of a test may be busy; alone it takes about 0.3 s
