"""No history of gateways that are killed spends more than a model's ceiling on any UTC day."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from libra.core.errors import Unavailable
from libra.core.spending.budget_ledger import amount
from libra.core.spending.daily_ceiling import ledger_id
from libra.gateway.budget.account import BudgetAccounts
from libra.gateway.budget.ceiling import ModelCeiling
from libra.gateway.parking.policy import ParkPolicy
from libra.gateway.provider.result import BlockCause
from libra.testing.killable_process import KillableProcess
from libra.testing.memory import MemoryServer, MemoryStore, StoreFaults
from libra.testing.memory.transport import Transport, direct
from libra.testing.virtual_time import simulate
from libra.v1.model_pb2 import DailyAmount, Model

DAY_SECONDS = 86_400
MOST = amount(tokens=10, requests=1)
MODEL = Model(name="m", ceiling=DailyAmount(tokens=25, requests=100))
START_TIME = datetime(2027, 3, 27, 23, 0, tzinfo=UTC)


def ceiling_on(server: MemoryServer, model: Model = MODEL, transport: Transport = direct) -> ModelCeiling:
    store = MemoryStore(server, transport=transport)
    return ModelCeiling(BudgetAccounts(store.ceilings), model, lambda: server.now().timestamp())


def test_a_model_is_refused_once_it_has_reached_its_ceiling_and_goes_on_at_midnight_utc() -> None:
    async def history() -> None:
        server = MemoryServer(start_time=START_TIME)
        ceiling = ceiling_on(server)
        for _ in range(2):
            reservation = await ceiling.reserve(MOST)
            assert reservation
            reservation.spent = amount(tokens=9, requests=1)
            reservation.settle()
        assert await ceiling.reserve(MOST) is None
        assert ceiling.used_share() == 18 / 25
        fault = ceiling.reached(MOST)
        assert fault.block is BlockCause.CEILING
        assert "18 of 25 tokens, 2 of 100 requests" in fault.reason
        assert "libra models update m" in fault.reason
        assert fault.retry_after_seconds == pytest.approx(3600, abs=1)
        restarted = ceiling_on(server)
        assert await restarted.reserve(MOST) is None
        await asyncio.sleep(fault.retry_after_seconds or 0)
        assert restarted.used_share() == 0
        assert await restarted.reserve(MOST)

    simulate(history())


def test_a_request_that_is_answered_after_midnight_counts_on_the_day_that_it_was_made() -> None:
    async def history() -> None:
        server = MemoryServer(start_time=START_TIME)
        ceiling = ceiling_on(server)
        reservation = await ceiling.reserve(MOST)
        assert reservation
        await asyncio.sleep(2 * 3600)
        reservation.spent = MOST
        reservation.settle()
        await asyncio.sleep(1)
        ledger = await MemoryStore(server).ceilings.get(ledger_id("m", START_TIME))
        assert ledger
        assert ledger.settled == MOST

    simulate(history())


def test_a_higher_ceiling_admits_requests_at_once() -> None:
    async def history() -> None:
        server = MemoryServer(start_time=START_TIME)
        ceiling = ceiling_on(server)
        for _ in range(2):
            assert await ceiling.reserve(MOST)
        waiting = asyncio.create_task(ceiling.reserve(MOST))
        await asyncio.sleep(10)
        assert not waiting.done()
        await MemoryStore(server).ceilings.set_limit(ledger_id("m", START_TIME), amount(tokens=30))
        assert await waiting

    simulate(history())


def test_requests_wait_for_a_ceiling_however_many_days_they_need() -> None:
    policy = ParkPolicy()
    assert policy.probe_wait_seconds(BlockCause.CEILING, 0, 7_200.0) == 7_200
    assert policy.patience_for(BlockCause.CEILING) == float("inf")


@pytest.mark.parametrize("seed", range(8))
def test_killed_gateways_never_charge_more_than_the_ceiling_of_a_day(seed: int) -> None:
    async def history() -> None:
        rng = random.Random(seed)
        server = MemoryServer(seed=seed, faults=StoreFaults(lost_requests=0.05, lost_responses=0.05))
        model = Model(name="m", ceiling=DailyAmount(tokens=300))
        charged: Counter[str] = Counter()

        async def caller(ceiling: ModelCeiling) -> None:
            while True:
                day = ledger_id("m", server.now())
                try:
                    reservation = await ceiling.reserve(MOST)
                except Unavailable:
                    await asyncio.sleep(1)
                    continue
                if reservation is None:
                    await asyncio.sleep(ceiling.reached(MOST).retry_after_seconds or 0)
                    continue
                cost = rng.randint(1, MOST.tokens)
                charged[day] += cost
                reservation.spent = MOST
                await asyncio.sleep(rng.random() * 3)
                reservation.spent = amount(tokens=cost, requests=1)
                reservation.settle()

        async def callers(ceiling: ModelCeiling) -> None:
            await asyncio.gather(*(caller(ceiling) for _ in range(4)))

        async def replica() -> None:
            while asyncio.get_running_loop().time() < 2 * DAY_SECONDS:
                process = KillableProcess("gateway")
                main = process.start(callers(ceiling_on(server, model, process)))
                await asyncio.wait({main}, timeout=rng.choice([3.0, 8.0, DAY_SECONDS / 2]))
                process.kill()
                await process.wait_until_gone()

        await asyncio.gather(replica(), replica())
        assert len(charged) >= 2
        assert all(0 < tokens <= 300 for tokens in charged.values())

    simulate(history(), limit_seconds=10 * DAY_SECONDS)
