"""A battle of a small real model against a scripted one is held in a browser while services are killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from playwright.sync_api import Page

from libra.local import smollm
from libra.local.demo import running_model
from libra.local.system import System
from libra.v1.arena_pb2 import (
    ArenaEntry,
    AuditArenaRequest,
    AuditArenaResponse,
    EnterModelRequest,
    LeaveModelRequest,
)
from libra.v1.arena_pb2_grpc import ArenaServiceStub
from libra.v1.model_pb2 import CreateModelRequest, Model, ModelLimits, Provider
from libra.v1.model_pb2_grpc import ModelServiceStub

from .conftest import OpenReader
from .evaluation import REFERENCE_MODELS

CALL_SECONDS = 30.0
READY_SECONDS = 40.0
OPPONENT, *OTHERS = REFERENCE_MODELS


@pytest.fixture
def real_model(system: System) -> Iterator[str]:
    """SmolLM2 in the arena, with one scripted opponent; the other models are away meanwhile."""
    with running_model(system.folder) as url:
        limits = ModelLimits(max_in_flight=smollm.SLOTS, timeout_seconds=CALL_SECONDS)
        model = Model(name=smollm.NAME, provider=Provider.PROVIDER_OPENAI, base_url=url, limits=limits)
        with grpc.insecure_channel(system.addresses["dispatch"]) as dispatch:
            ModelServiceStub(dispatch).CreateModel(CreateModelRequest(model=model), timeout=CALL_SECONDS)
        with arena(system) as stub:
            enter(stub, smollm.NAME)
            for name in OTHERS:
                stub.LeaveModel(LeaveModelRequest(model=name), timeout=CALL_SECONDS)
        yield smollm.NAME
        with arena(system) as stub:
            stub.LeaveModel(LeaveModelRequest(model=smollm.NAME), timeout=CALL_SECONDS, wait_for_ready=True)
            for name in OTHERS:
                enter(stub, name)


@contextmanager
def arena(system: System) -> Iterator[ArenaServiceStub]:
    with grpc.insecure_channel(system.addresses["arena"]) as opened:
        yield ArenaServiceStub(opened)


def enter(stub: ArenaServiceStub, model: str) -> None:
    """Enter a model; the gateway lists a new one within two seconds."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            stub.EnterModel(EnterModelRequest(entry=ArenaEntry(model=model)), timeout=CALL_SECONDS)
        except grpc.RpcError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        else:
            return


def audit(system: System) -> AuditArenaResponse:
    with arena(system) as stub:
        response: AuditArenaResponse = stub.AuditArena(AuditArenaRequest(), timeout=CALL_SECONDS, wait_for_ready=True)
        return response


def restart(system: System, part: str) -> None:
    system.kill(part)
    system.start_part(part)


def load_until_vote_is_possible(page: Page) -> None:
    """Load the battle again, as its page asks the visitor to, until both answers are complete."""
    deadline = time.monotonic() + READY_SECONDS
    while not page.locator("#vote").count():
        assert time.monotonic() < deadline, page.inner_text("body")
        page.wait_for_timeout(1_000)
        if page.locator(".notice").count() or not page.locator("#live").count():
            page.reload()


@pytest.mark.usefixtures("evaluation")
def test_a_battle_of_a_real_model_survives_kills_and_its_vote_counts_once(
    open_reader: OpenReader, system: System, real_model: str, tmp_path: Path
) -> None:
    before = audit(system)
    page = open_reader().open("/arena")
    page.fill("#prompt", "What is the capital of France?")
    page.click("button:has-text('Start the battle')")
    page.wait_for_url("**/arena/battles/*")
    battle = page.url
    restart(system, "gateway")
    restart(system, "arena")
    load_until_vote_is_possible(page)
    page.screenshot(path=tmp_path / "battle.png")
    page.check("input[name=safer][value=tie]")
    page.check("input[name=more_helpful][value=tie]")

    system.kill("arena")
    page.click("button:has-text('Vote and show the names')")
    assert "arena" in page.inner_text("body")
    system.start_part("arena")
    page.goto(battle)
    load_until_vote_is_possible(page)
    page.check("input[name=safer][value=a]")
    page.check("input[name=more_helpful][value=b]")
    page.click("button:has-text('Vote and show the names')")
    page.wait_for_selector(".result")
    names = page.locator(".turn header a").all_inner_texts()
    assert sorted(names) == sorted([real_model, OPPONENT])

    after = audit(system)
    assert after.votes - before.votes == 1
    assert list(after.violations) == []
