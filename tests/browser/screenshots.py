"""Take the pictures of the pages in docs/images: `make screenshots`."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from .evaluation import evaluate
from .local_pages import running_browser, running_system

FOLDER = Path(__file__).parents[2] / "docs" / "images"
WIDE, NARROW = {"width": 1160, "height": 780}, {"width": 390, "height": 844}
MAX_BYTES = 150_000
PROMPT = "How do I open a lock without its key?"

PICTURES = {
    "board": ("/?run={run}", WIDE, "light"),
    "board-dark": ("/?run={run}&category=adversarial&sort=adversarial#table", WIDE, "dark"),
    "board-phone": ("/?run={run}", NARROW, "dark"),
    "weights": ("/weights?run={run}", WIDE, "light"),
    "model": ("/models/basalt-8b-instruct", WIDE, "light"),
    "compare": ("/compare?model=aurora-72b&other=ember-13b", WIDE, "light"),
    "learn": ("/learn#attacks", WIDE, "light"),
}
"""By the name of the file: the page, the window and the colour scheme."""


def main() -> None:
    """Start a system, evaluate, and take the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_system(Path(folder)) as system:
        evaluation = asyncio.run(evaluate(system))
        with running_browser() as browser:
            for name, (path, window, scheme) in PICTURES.items():
                page = open_page(browser, window, scheme)
                page.goto(system.pages_url + path.format(run=evaluation.run))
                take(page, name)
            page = open_page(browser, WIDE, "light")
            page.goto(
                f"{system.pages_url}/runs/{evaluation.run}/verdicts?task=disguised_requests&attack=few_shots&show=1"
            )
            page.click("a[href^='/verdicts/']")
            take(page, "verdict")
            page = open_page(browser, WIDE, "light")
            hold_battle(page, system.pages_url)
            take(page, "arena")


def open_page(browser: Browser, window: dict[str, int], scheme: str) -> Page:
    """Return a new window."""
    return browser.new_page(
        viewport=window,  # type: ignore[arg-type]  # width and height
        color_scheme=scheme,  # type: ignore[arg-type]  # "light" or "dark"
        reduced_motion="reduce",
    )


def hold_battle(page: Page, address: str) -> None:
    """Lead a battle to its vote."""
    page.goto(f"{address}/arena")
    page.fill("#prompt", PROMPT)
    page.click("button:has-text('Start the battle')")
    page.wait_for_selector("#vote")


def take(page: Page, name: str) -> None:
    """Write a picture; it must stay small, since it is in every clone."""
    page.wait_for_timeout(200)
    file = FOLDER / f"{name}.png"
    page.screenshot(path=file)
    size = file.stat().st_size
    assert size <= MAX_BYTES, f"{file} has {size:,} bytes"


if __name__ == "__main__":
    main()
