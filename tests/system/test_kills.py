"""Whatever is killed in the middle of a run and started again, every trial ends in exactly one verdict."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from ulid import ULID

from libra.local.system import System
from libra.v1.model_pb2 import Model, ModelLimits, Provider
from libra.v1.run_pb2 import Run, RunState

from .client import Client
from .standin import StandIn, serving

pytestmark = pytest.mark.timeout(240)

IN_FLIGHT = 64
ATTACKS = ["none", "few_shots", "do_anything_now"]
"""With every built-in task some thousand trials: at 0.2 s and 64 in flight more than three seconds of work."""

AWAY_SECONDS = 1.0


@pytest.fixture
async def provider() -> AsyncIterator[StandIn]:
    async with serving() as standin:
        yield standin


@pytest.fixture
async def model(client: Client, provider: StandIn) -> str:
    name = f"model-{ULID()}"
    limits = ModelLimits(max_in_flight=IN_FLIGHT, timeout_seconds=10)
    await client.add(Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url=provider.url, limits=limits))
    return name


async def interrupted(system: System, client: Client, model: str, *parts: str, away_seconds: float) -> Run:
    """Create a run, SIGKILL the parts in the middle of it, start them again after a while, and return the run at its end."""
    run = await client.create(models=[model], tasks=["*"], attacks=ATTACKS)
    middle = await client.reached(run.id, run.trials // 4)
    assert middle.state == RunState.RUN_STATE_RUNNING
    for part in parts:
        await asyncio.to_thread(system.kill, part)
    await asyncio.sleep(away_seconds)
    for part in parts:
        await asyncio.to_thread(system.start_part, part)
    return await client.ended(run.id)


@pytest.mark.parametrize("service", ["attack", "dispatch", "gateway", "judge", "ranking"])
async def test_a_service_that_is_killed_loses_nothing(
    system: System, client: Client, provider: StandIn, model: str, service: str
) -> None:
    run = await interrupted(system, client, model, service, away_seconds=AWAY_SECONDS)
    assert run.counts.scored == run.trials
    assert await client.findings(run.id) == []
    # Answers that were under way, or not yet written down, when the gateway was killed are asked for again.
    assert provider.repeated <= (IN_FLIGHT * 2 if service == "gateway" else 0)


@pytest.mark.parametrize("server", ["nats-server", "mongod"])
async def test_a_server_that_is_away_for_a_while_loses_nothing(
    system: System, client: Client, provider: StandIn, model: str, server: str
) -> None:
    run = await interrupted(system, client, model, server, away_seconds=30.0)
    assert run.counts.scored == run.trials
    assert await client.findings(run.id) == []
    assert provider.repeated == 0
