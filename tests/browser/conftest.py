"""A local system with a finished evaluation, and a browser that reads its pages: one of each per worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from libra.local.system import System

from .evaluation import Evaluation, evaluate
from .local_pages import running_browser, running_system

AXE = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text()
WIDTHS = (390, 1440)
HEIGHT = 900
PAGE_SECONDS = 20.0
SERIOUS = ("serious", "critical")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the first test time to start the system, and keep the tests of this folder in one worker."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(240))


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(tmp_path_factory.mktemp("libra")) as started:
        yield started


@pytest.fixture(scope="session")
def evaluation(system: System) -> Evaluation:
    # In a thread of its own: the browser's event loop runs in this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(evaluate(system))).result()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the whole session: while it is open, its event loop runs in this thread, and asynchronous tests of other
    # files in the same worker would fail.
    with running_browser() as opened:
        yield opened


@dataclass
class Reader:
    """A browser window on the pages that collects everything that went wrong."""

    page: Page
    address: str
    problems: list[str] = field(default_factory=list)

    def open(self, path: str, *, status: int = 200) -> Page:
        """Open a page and check its status."""
        response = self.page.goto(self.address + path)
        assert response
        assert response.status == status, self.page.inner_text("body")
        return self.page

    def accessibility_problems(self) -> list[str]:
        """Return what axe-core reports as serious or critical: the rule and the first element."""
        if not self.page.evaluate("Boolean(window.axe)"):
            self.page.evaluate(AXE)
        found = self.page.evaluate("async () => (await axe.run({resultTypes: ['violations']})).violations")
        return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in SERIOUS]

    def show_as(self, width: int, scheme: str) -> None:
        """Show the same page in another width and colour scheme."""
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # "light" or "dark"

    def overflow_pixels(self) -> int:
        """Return by how much the page is wider than its window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width


OpenReader = Callable[..., Reader]


@pytest.fixture
def open_reader(browser: Browser, system: System) -> Iterator[OpenReader]:
    """A function that opens a window: `width`, `scheme` ("light" or "dark"), `javascript`."""
    contexts: list[BrowserContext] = []

    def open_window(*, width: int = 1440, scheme: str = "light", javascript: bool = True) -> Reader:
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            color_scheme=scheme,  # type: ignore[arg-type]  # a literal of two words
            java_script_enabled=javascript,
            reduced_motion="reduce",  # otherwise a change of the colour scheme takes a fifth of a second
        )
        context.set_default_timeout(PAGE_SECONDS * 1000)
        contexts.append(context)
        reader = Reader(context.new_page(), system.pages_url)

        def on_console(message: ConsoleMessage) -> None:
            # Chromium reports the status of an error page there; the tests check it themselves.
            if "Failed to load resource" not in message.text or "/static/" in message.location["url"]:
                reader.problems.append(f"{message.type}: {message.text}")

        reader.page.on("console", on_console)
        reader.page.on("pageerror", lambda error: reader.problems.append(f"error: {error}"))
        return reader

    yield open_window
    for context in contexts:
        context.close()
