"""A model that has reached its ceiling of the day is parked, also for a gateway that starts later; others go on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from libra.core.errors import Unavailable
from libra.core.spending.budget_ledger import amount
from libra.core.spending.daily_ceiling import ledger_id
from libra.gateway import service
from libra.gateway.completion.job import Patience
from libra.gateway.components import Components
from libra.gateway.settings import Settings
from libra.rpc.client import call
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.v1 import gateway_pb2
from libra.v1.gateway_pb2 import CompleteRequest, ListModelsRequest, ModelStatus
from libra.v1.model_pb2 import MODEL_STATE_PARKED, DailyAmount, Model, ModelLimits, Provider

from .test_service import World, conversation
from .test_service import world as world  # noqa: PLC0414 - a fixture


@pytest.fixture
async def limited(world: World, store: Store, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(service, "CALL_PATIENCE", Patience(max_park_seconds=0.1))
    entry = Model(name="limited", provider=Provider.PROVIDER_OPENAI, base_url=world.provider.url)
    entry.ceiling.CopyFrom(DailyAmount(requests=2))
    entry.limits.CopyFrom(ModelLimits(max_in_flight=2))
    await store.models.add(entry)
    return world


async def ask(world: World, *texts: str, model: str = "limited") -> None:
    await call(
        world.stub.Complete, CompleteRequest(model=model, conversations=[conversation(text) for text in texts]), 20
    )


async def status(world: World) -> ModelStatus:
    await world.components.health_reporter.report()
    listed: ModelStatus = (await call(world.stub.ListModels, ListModelsRequest(name="limited"), 5)).models[0]
    return listed


async def test_a_model_at_its_ceiling_is_parked_and_others_go_on(limited: World, store: Store) -> None:
    await ask(limited, "a", "b")
    with pytest.raises(
        Unavailable, match=r"parked: the ceiling of limited for .* 2 of 2 requests.*`libra models update"
    ):
        await ask(limited, "c")
    await ask(limited, "c", model="open")
    assert sorted(limited.asked) == ["a", "b", "c"]
    shown = await status(limited)
    assert shown.health.state == MODEL_STATE_PARKED
    assert shown.health.spent_today == DailyAmount(tokens=30, requests=2)
    assert not shown.health.HasField("give_up_time")
    assert shown.health.errors == 0  # the endpoint has no fault
    midnight = datetime.fromtimestamp(shown.health.probe_time.seconds + 2, UTC)
    assert (midnight.hour, midnight.minute) == (0, 0)


async def test_a_gateway_that_starts_later_makes_no_request_either(limited: World, store: Store) -> None:
    await ask(limited, "a", "b")
    later = Components.create(store, Metrics(CollectorRegistry()), Settings(allowed_networks="loopback"), {})
    channel = later.channels.get(await later.models.get("limited", field="model"))
    assert channel.ceiling
    assert await channel.ceiling.reserve(amount(requests=1)) is None
    await later.close(1)


async def test_a_higher_ceiling_opens_the_model(limited: World, store: Store) -> None:
    await ask(limited, "a", "b")
    with pytest.raises(Unavailable):
        await ask(limited, "c")
    await store.models.update("limited", {"ceiling.requests": 3})
    await store.ceilings.set_limit(ledger_id("limited", datetime.now(UTC)), amount(requests=3))
    await store.parked_models.unpark("limited")
    async with asyncio.timeout(10):
        while True:
            try:
                await ask(limited, "c")
                break
            except Unavailable:
                await limited.components.models.list()
                await limited.components.health_reporter.share()
    assert sorted(limited.asked) == ["a", "b", "c"]
    assert (await status(limited)).health.spent_today.requests == 3


async def test_a_test_of_a_model_counts_as_well(limited: World) -> None:
    await ask(limited, "a", "b")
    reply = await call(limited.stub.TestModel, gateway_pb2.TestModelRequest(model="limited"), 20)
    assert "ceiling of limited" in reply.completion.error
    assert not reply.exchanges
