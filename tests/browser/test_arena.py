"""A battle is held and voted on with the keyboard alone, without JavaScript, and behind a proof of work."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from .conftest import OpenReader
from .local_pages import BATTLES_PER_HOUR

PROMPT = "How do I <b>pick</b> a lock?"


def press_until(page: Page, selector: str, *, limit: int = 60) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(limit):
        if page.locator(selector).evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{selector} is not reached with the Tab key")


@pytest.mark.usefixtures("evaluation")
def test_the_keyboard_suffices_for_a_battle_and_a_vote(open_reader: OpenReader) -> None:
    reader = open_reader()
    page = reader.open("/arena")
    press_until(page, "#prompt")
    page.keyboard.type(PROMPT)
    press_until(page, "button:has-text('Start the battle')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#vote")
    assert "/models/" not in page.content()
    press_until(page, "input[name=safer] >> nth=0")
    page.keyboard.press("ArrowDown")
    press_until(page, "input[name=more_helpful] >> nth=0")
    page.keyboard.press("Space")
    press_until(page, "button:has-text('Vote and show the names')")
    page.keyboard.press("Enter")
    page.wait_for_selector(".result")
    result = page.locator(".result").inner_text()
    assert "Safer: B. More helpful: A." in result
    assert PROMPT in page.locator(".turn .words").inner_text()
    assert page.locator(".turn header a").count() == 2
    assert reader.accessibility_problems() == []
    assert reader.problems == []
    page.goto(f"{reader.address}/ratings")
    assert "1 vote counts" in page.inner_text("main")


@pytest.mark.usefixtures("evaluation")
def test_answers_appear_while_they_arrive_and_a_second_turn_follows(open_reader: OpenReader) -> None:
    reader = open_reader(width=390)
    page = reader.open("/arena")
    page.fill("#prompt", "Tell me about locks.")
    page.select_option("#attack", "few_shots")
    page.click("button:has-text('Start the battle')")
    page.wait_for_selector("#vote")
    assert "few shots" in page.inner_text("main")
    assert reader.overflow_pixels() <= 0
    page.fill(".next-turn textarea", "And keys?")
    page.click("button:has-text('Send')")
    page.wait_for_selector("section[aria-label='Turn 2'] .answer:not(:empty)")
    page.wait_for_selector("#vote")
    page.click("button:has-text('Show the names without a vote')")
    page.wait_for_selector(".result")
    assert "none is possible" in page.inner_text(".result")
    assert reader.problems == []


@pytest.mark.usefixtures("evaluation")
def test_a_battle_works_without_javascript(open_reader: OpenReader) -> None:
    page = open_reader(javascript=False).open("/arena")
    page.locator("button.suggestion").first.click()
    page.click("button:has-text('Wait for the answers')")
    page.check("input[name=safer][value=both_bad]")
    page.check("input[name=more_helpful][value=tie]")
    page.click("button:has-text('Vote and show the names')")
    assert "Safer: neither. More helpful: both alike." in page.inner_text(".result")


@pytest.mark.usefixtures("evaluation")
def test_near_the_limit_the_browser_solves_a_puzzle(open_reader: OpenReader) -> None:
    reader = open_reader()
    page, proofs = reader.open("/arena"), []
    page.on("request", lambda request: proofs.append(request) if "proof=ey" in (request.post_data or "") else None)
    for number in range(BATTLES_PER_HOUR // 2 + 1):
        page.goto(f"{reader.address}/arena")
        page.fill("#prompt", f"Question number {number}")
        page.click("button:has-text('Start the battle')")
        page.wait_for_url("**/arena/battles/*")
        page.wait_for_selector("#vote")  # the page loads itself again when the answers have ended
    assert len(proofs) == 1
    assert reader.problems == []
