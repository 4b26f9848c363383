"""Several gateways in processes of their own; the provider counts their requests."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from tests.integration.support.gateway_fleet import InFlightSampler, fleet, send

from libra.bus.nats_bus import NatsBus
from libra.gateway.components import Components
from libra.gateway.model_supervisor import ModelSupervisor
from libra.gateway.quota.lease_manager import LeaseManager
from libra.gateway.quota.lease_renewer import LeaseTiming
from libra.gateway.settings import Settings
from libra.local.servers import MongoServer
from libra.rpc.client import call, channel
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, says, slow_down
from libra.v1.gateway_pb2 import CompleteRequest, Conversation
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits, Provider

pytestmark = pytest.mark.alone

IN_FLIGHT = 40
LATENCY_SECONDS = 0.4
RENEW_SECONDS = 0.4
EXPIRY_SECONDS = 3 * RENEW_SECONDS + LATENCY_SECONDS * 2

QUICK = Settings(
    look_seconds=0.1, renew_seconds=0.1, retry_base_seconds=0.2, drain_seconds=1.0, allowed_networks="loopback"
)


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[NatsBus]:
    opened = await NatsBus.connect(nats_url, name="test")
    await opened.ensure()
    yield opened
    await opened.close()


async def register(store: Store, name: str, url: str, **limits: int) -> None:
    model = Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url=url, limits=ModelLimits(**limits))
    await store.models.add(model)


async def call_seconds(address: str, calls: int) -> list[float]:
    """Make calls one after another; return the duration of each."""
    durations = []
    async with channel(address) as opened:
        stub = GatewayServiceStub(opened)
        for number in range(calls):
            conversation = Conversation(messages=[Message(role="user", content=f"call {address} {number}")])
            begun = time.monotonic()
            await call(stub.Complete, CompleteRequest(model="m", conversations=[conversation]), 30)
            durations.append(time.monotonic() - begun)
    return durations


async def test_the_limit_holds_and_is_used_while_gateways_start_and_are_killed(
    nats_url: str, mongo_server: MongoServer, store: Store, database: str, bus: NatsBus, tmp_path: Path
) -> None:
    variables = {"LIBRA_GATEWAY_RENEW_SECONDS": str(RENEW_SECONDS), "LIBRA_GATEWAY_LOOK_SECONDS": "0.2"}
    async with ScriptedProvider(says("yes", after_seconds=LATENCY_SECONDS)) as provider:
        await register(store, "m", provider.url, max_in_flight=IN_FLIGHT, timeout_seconds=10)
        await send(bus, "m", 5000)
        sampler = InFlightSampler(provider)
        sampling = asyncio.create_task(sampler.run())
        means: dict[int | str, float] = {}
        with fleet(tmp_path, nats_url, mongo_server.url, database, **variables) as gateways:
            for replicas in (1, 2, 4):
                while len(gateways.gateways) < replicas:
                    gateways.start()
                addresses = [await gateway.wait_until_ready() for gateway in gateways.gateways]
                await asyncio.sleep(2.0)
                begun = time.monotonic()
                await asyncio.sleep(2.0)
                means[replicas] = sampler.mean(begun, time.monotonic())
            latencies = [seconds for address in addresses for seconds in await call_seconds(address, 5)]
            gateways.gateways[0].process.kill()
            begun = time.monotonic()
            await asyncio.sleep(EXPIRY_SECONDS)
            means["killed"] = sampler.mean(begun, time.monotonic())
            await asyncio.sleep(1.0)
            begun = time.monotonic()
            await asyncio.sleep(2.0)
            means["after"] = sampler.mean(begun, time.monotonic())
        sampling.cancel()
    assert provider.max_in_flight == IN_FLIGHT
    assert min(means[each] for each in (1, 2, 4, "after")) >= 0.9 * IN_FLIGHT, means
    assert means["killed"] >= 0.6 * IN_FLIGHT, means
    # A call is admitted before the hundreds of waiting requests: it waits for at most one answer, and then for its own.
    assert statistics.median(latencies) < 2.5 * LATENCY_SECONDS


async def run_gateway(store: Store, bus: NatsBus, stop: asyncio.Event) -> None:
    leases = LeaseManager(bus, LeaseTiming(QUICK.renew_seconds))
    components = Components.create(store, Metrics(CollectorRegistry()), QUICK, {}, leases)
    await ModelSupervisor(components, leases, bus, Metrics(CollectorRegistry())).work(stop)


async def test_after_a_storm_of_refusals_the_rate_recovers(store: Store, bus: NatsBus) -> None:
    storm = {"from": float("inf"), "to": float("inf")}

    def script(asked: ReceivedRequest) -> Behaviour:
        stormy = storm["from"] <= asked.at_seconds < storm["to"]
        return slow_down() if stormy else says("yes", after_seconds=0.25)

    async with ScriptedProvider(script) as provider:
        await register(store, "m", provider.url, max_in_flight=64)
        await send(bus, "m", 8000)
        stop, now = asyncio.Event(), asyncio.get_running_loop().time
        working = asyncio.create_task(run_gateway(store, bus, stop))

        def rate(start: float, stop: float) -> float:
            return sum(start <= asked.at_seconds < stop for asked in provider.requests) / (stop - start)

        async with asyncio.timeout(20):  # on a busy machine the rate rises slowly
            while (before := rate(now() - 1.5, now())) < 0.8 * 64 / 0.25:
                await asyncio.sleep(0.1)
        storm["from"], storm["to"] = now(), now() + 3
        async with asyncio.timeout(35):
            await asyncio.sleep(4)
            while rate(now() - 1, now()) < 0.9 * before:
                await asyncio.sleep(0.1)
        recovered = now() - storm["to"]
        stop.set()
        await working
    assert recovered < 30


async def test_one_slow_model_does_not_slow_another(store: Store, bus: NatsBus) -> None:
    slow, quick = says("yes", after_seconds=30), says("yes", after_seconds=0.1)
    async with ScriptedProvider(lambda asked: slow if asked.model == "slow" else quick) as provider:
        await register(store, "quick", provider.url, max_in_flight=20)
        await register(store, "slow", provider.url, max_in_flight=200)
        await send(bus, "quick", 2500)
        stop = asyncio.Event()
        working = asyncio.create_task(run_gateway(store, bus, stop))

        async def rate() -> float:
            await asyncio.sleep(1.0)
            before, begun = sum(asked.model == "quick" for asked in provider.requests), time.monotonic()
            await asyncio.sleep(2)
            return (sum(asked.model == "quick" for asked in provider.requests) - before) / (time.monotonic() - begun)

        alone = await rate()
        await send(bus, "slow", 400)
        with_slow = await rate()
        asked_slow = sum(asked.model == "slow" for asked in provider.requests)
        stop.set()
        await working
    assert asked_slow == 200
    assert with_slow >= 0.8 * alone
