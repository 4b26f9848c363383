"""A local system with pages and arena, and a browser that reads them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from playwright.sync_api import Browser, sync_playwright

from libra.local.system import System
from libra.v1.arena_pb2 import ArenaEntry, EnterModelRequest
from libra.v1.arena_pb2_grpc import ArenaServiceStub

from .evaluation import REFERENCE_MODELS

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""For a browser that runs as root and calls nobody but the pages."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CALL_SECONDS = 30.0
BATTLES_PER_HOUR = 8
"""The second half of them costs a proof of work each."""

MAX_TOKENS = 48
"""A real small model writes as many in two seconds."""


@contextmanager
def running_system(folder: Path) -> Iterator[System]:
    """Run the system; three models take part in its arena."""
    variables = {"LIBRA_ARENA_BATTLES_PER_HOUR": str(BATTLES_PER_HOUR), "LIBRA_ARENA_MAX_TOKENS": str(MAX_TOKENS)}
    with System.start(folder, variables=variables) as started:
        enter_models(started.addresses["arena"])
        yield started


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Run the Chromium of this machine, without a window."""
    executable = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    assert executable, "Chromium is not installed: `deploy/setup.sh --browser` installs it"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield opened
        opened.close()


def enter_models(address: str) -> None:
    """Let the reference models take part in battles."""
    with grpc.insecure_channel(address) as opened:
        for model in REFERENCE_MODELS:
            entry = EnterModelRequest(entry=ArenaEntry(model=model))
            ArenaServiceStub(opened).EnterModel(entry, timeout=CALL_SECONDS)
