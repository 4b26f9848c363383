"""A model's limits, as the provider sees them, while gateways come, are killed, are frozen, and lose their nats-server."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from .model_limits import GATEWAYS, MINUTE_SECONDS, limited
from .report import show

pytestmark = pytest.mark.timeout(900)

IN_FLIGHT = 200
PER_MINUTE = 1200
CALM_SECONDS = 20.0
SETTLE_SECONDS = 6.0
LAPSE_SECONDS = 12.0
"""Three renewals of two seconds, the longest request, and a round for those who take over."""


async def test_requests_in_flight(tmp_path: Path) -> None:
    async with limited(tmp_path, answer_seconds=2.0) as limits, limits.run(40_000, max_in_flight=IN_FLIGHT):
        used = {}
        for replicas in (1, 2, 4):
            for gateway in GATEWAYS[replicas // 2 : replicas] if replicas > 1 else ():
                await limits.start(gateway)
            await asyncio.sleep(SETTLE_SECONDS)
            used[f"{replicas} gateways"] = await limits.used(CALM_SECONDS)
        await limits.kill("gateway-2")
        killed = asyncio.create_task(limits.used(MINUTE_SECONDS))
        used["one of four killed, the next 12 s"] = await limits.used(LAPSE_SECONDS)
        used["3 gateways"] = await limits.used(CALM_SECONDS)
        used["the whole minute in which one of four was killed"] = await killed
        frozen = limits.system.pid("gateway-3")
        os.kill(frozen, signal.SIGSTOP)
        used["one of three frozen, 30 s"] = await limits.used(30)
        os.kill(frozen, signal.SIGCONT)
        used["and thawed, the next 12 s"] = await limits.used(LAPSE_SECONDS)
        await asyncio.to_thread(limits.system.kill, "nats-server")
        await asyncio.sleep(2)
        await asyncio.to_thread(limits.system.start_part, "nats-server")
        used["nats-server killed, away for 2 s, the next 20 s"] = await limits.used(20)
        used["and then"] = await limits.used(CALM_SECONDS)
    rows = {name: f"{mean:.1f} ({mean / IN_FLIGHT:.1%})" for name, mean in used.items()}
    show(f"Requests in flight, limit {IN_FLIGHT}", {"most": limits.provider.max_in_flight, **rows})
    assert limits.provider.max_in_flight <= IN_FLIGHT
    passing = ("next 12 s", "frozen, 30 s", "next 20 s")
    assert min(mean for name, mean in used.items() if not name.endswith(passing)) >= 0.9 * IN_FLIGHT


async def test_requests_per_minute(tmp_path: Path) -> None:
    limit = {"max_in_flight": 100, "requests_per_minute": PER_MINUTE}
    async with limited(tmp_path, answer_seconds=0.5) as limits, limits.run(10_000, **limit):
        now = asyncio.get_running_loop().time
        begun = now()
        await asyncio.sleep(130)
        added = now()
        await limits.start("gateway-2")
        await asyncio.sleep(90)
        killed = now()
        await limits.kill("gateway")
        await asyncio.sleep(150)
        ended = now()
    most = max(limits.minutes(begun, ended))
    calm = list(limits.minutes(begun + 5, added))
    handed = list(limits.minutes(begun + 5, killed))
    rows = {
        "most in any minute": most,
        "least, one gateway": min(calm),
        "least, while one is added": min(handed),
        "least, while one of two is killed": min(limits.minutes(begun + 5, ended)),
        "in all": f"{limits.provider.count / ((ended - begun) / 60) / PER_MINUTE:.1%} of the limit",
    }
    show(f"Requests a minute, limit {PER_MINUTE}", rows)
    assert most <= PER_MINUTE
    assert min(calm) >= 0.97 * PER_MINUTE
    assert min(handed) >= 0.9 * PER_MINUTE
    assert limits.provider.count >= 0.9 * PER_MINUTE * (ended - begun) / 60
