"""A model's limits at the provider, while gateways are started, killed and suspended and nats-server is killed."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from .model_limits import GATEWAYS, MINUTE_SECONDS, limits_harness
from .report import print_table

pytestmark = pytest.mark.timeout(900)

IN_FLIGHT = 200
PER_MINUTE = 1200
STEADY_SECONDS = 20.0
SETTLE_SECONDS = 6.0
LAPSE_SECONDS = 12.0
"""Three renewals of two seconds, the longest request, and one round in which the other gateways take over."""


async def test_requests_in_flight_stay_at_the_limit(tmp_path: Path) -> None:
    async with limits_harness(tmp_path, answer_seconds=2.0) as harness, harness.run(40_000, max_in_flight=IN_FLIGHT):
        means = {}
        for replicas in (1, 2, 4):
            for gateway in GATEWAYS[replicas // 2 : replicas] if replicas > 1 else ():
                await harness.start(gateway)
            await asyncio.sleep(SETTLE_SECONDS)
            means[f"{replicas} gateways"] = await harness.mean_in_flight(STEADY_SECONDS)
        await harness.kill("gateway-2")
        minute = asyncio.create_task(harness.mean_in_flight(MINUTE_SECONDS))
        means["one of four killed, next 12 s"] = await harness.mean_in_flight(LAPSE_SECONDS)
        means["3 gateways"] = await harness.mean_in_flight(STEADY_SECONDS)
        means["the minute in which one of four was killed"] = await minute
        suspended = harness.system.pid("gateway-3")
        os.kill(suspended, signal.SIGSTOP)
        means["one of three suspended, 30 s"] = await harness.mean_in_flight(30)
        os.kill(suspended, signal.SIGCONT)
        means["resumed, next 12 s"] = await harness.mean_in_flight(LAPSE_SECONDS)
        await asyncio.to_thread(harness.system.kill, "nats-server")
        await asyncio.sleep(2)
        await asyncio.to_thread(harness.system.start_part, "nats-server")
        means["nats-server killed, down for 2 s, next 20 s"] = await harness.mean_in_flight(20)
        means["after that"] = await harness.mean_in_flight(STEADY_SECONDS)
    rows = {name: f"{mean:.1f} ({mean / IN_FLIGHT:.1%})" for name, mean in means.items()}
    maximum = harness.provider.max_in_flight
    print_table(f"Requests in flight, limit {IN_FLIGHT}", {"maximum": maximum, **rows})
    assert maximum <= IN_FLIGHT
    transient = ("next 12 s", "suspended, 30 s", "next 20 s")
    assert min(mean for name, mean in means.items() if not name.endswith(transient)) >= 0.9 * IN_FLIGHT


async def test_requests_per_minute_stay_near_the_limit_and_never_above(tmp_path: Path) -> None:
    limits = {"max_in_flight": 100, "requests_per_minute": PER_MINUTE}
    async with limits_harness(tmp_path, answer_seconds=0.5) as harness, harness.run(10_000, **limits):
        now = asyncio.get_running_loop().time
        began = now()
        await asyncio.sleep(130)
        added = now()
        await harness.start("gateway-2")
        await asyncio.sleep(90)
        killed = now()
        await harness.kill("gateway")
        await asyncio.sleep(150)
        ended = now()
    maximum = max(harness.requests_per_minute(began, ended))
    one_gateway = list(harness.requests_per_minute(began + 5, added))
    gateway_added = list(harness.requests_per_minute(began + 5, killed))
    rows = {
        "maximum in any minute": maximum,
        "minimum, one gateway": min(one_gateway),
        "minimum, a second is added": min(gateway_added),
        "minimum, one of two is killed": min(harness.requests_per_minute(began + 5, ended)),
        "total": f"{harness.provider.count / ((ended - began) / 60) / PER_MINUTE:.1%} of the limit",
    }
    print_table(f"Requests per minute, limit {PER_MINUTE}", rows)
    assert maximum <= PER_MINUTE
    assert min(one_gateway) >= 0.97 * PER_MINUTE
    assert min(gateway_added) >= 0.9 * PER_MINUTE
    assert harness.provider.count >= 0.9 * PER_MINUTE * (ended - began) / 60
