"""No history of gateways that are killed, and of a store that fails, spends more than the budget."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from libra.core.errors import Unavailable
from libra.core.spending.budget_ledger import Amount, Ledger, amount
from libra.gateway.budget.account import TTL_SECONDS, BudgetAccount
from libra.testing.killable_process import KillableProcess
from libra.testing.memory import MemoryServer, MemoryStore, StoreFaults
from libra.testing.virtual_time import simulate

RUN = "01RUN"
MOST = amount(tokens=10, requests=1)


def account_on(server: MemoryServer) -> BudgetAccount:
    return BudgetAccount(MemoryStore(server).budgets, RUN)


async def add_budget(server: MemoryServer, limit: Amount) -> None:
    assert await MemoryStore(server).budgets.add(RUN, Ledger(limit))


async def stored(server: MemoryServer) -> Ledger:
    ledger = await MemoryStore(server).budgets.get(RUN)
    assert ledger is not None
    return ledger


def test_a_request_waits_for_those_in_flight_and_is_refused_once_nothing_is_left() -> None:
    async def history() -> None:
        server = MemoryServer()
        await add_budget(server, amount(tokens=25))
        account = account_on(server)
        first, second = await asyncio.gather(account.reserve(MOST), account.reserve(MOST))
        third = asyncio.create_task(account.reserve(MOST))
        await asyncio.sleep(5)
        assert not third.done()
        assert first
        assert second
        first.spent = amount(tokens=4, requests=1)
        first.settle()
        reservation = await third
        assert reservation
        for each in (second, reservation):
            each.spent = MOST
            each.settle()
        assert await account.reserve(MOST) is None
        ledger = await stored(server)
        assert (ledger.exhausted, ledger.settled) == (True, amount(tokens=24, requests=3))

    simulate(history())


def test_a_cancelled_request_gives_its_reservation_back() -> None:
    async def history() -> None:
        server = MemoryServer()
        await add_budget(server, amount(tokens=10))
        account = account_on(server)
        leaving = asyncio.create_task(account.reserve(MOST))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        assert await account.reserve(MOST)

    simulate(history())


def test_an_outage_refuses_requests_for_the_moment() -> None:
    async def history() -> None:
        server = MemoryServer()
        await add_budget(server, amount(tokens=100))
        account = account_on(server)
        server.down = True
        with pytest.raises(Unavailable):
            await account.reserve(MOST)
        server.down = False
        assert await account.reserve(MOST)

    simulate(history())


def test_a_suspended_replica_does_not_settle_what_was_counted_in_full() -> None:
    async def history() -> None:
        server = MemoryServer()
        await add_budget(server, amount(tokens=100))
        process = KillableProcess("frozen")
        frozen, other = BudgetAccount(MemoryStore(server, transport=process).budgets, RUN), account_on(server)
        holding: list[object] = []

        async def hold() -> None:
            reservation = await frozen.reserve(MOST)
            assert reservation
            holding.append(reservation)
            await asyncio.sleep(2 * TTL_SECONDS)
            reservation.spent = amount(tokens=3, requests=1)
            reservation.settle()
            await frozen.reserve(MOST)

        process.start(hold())
        await asyncio.sleep(1)
        process.suspend()
        await asyncio.sleep(TTL_SECONDS + 1)
        assert await other.reserve(MOST)
        process.resume()
        await asyncio.sleep(3 * TTL_SECONDS)
        ledger = await stored(server)
        assert ledger.settled.tokens == MOST.tokens
        process.kill()
        await process.wait_until_gone()

    simulate(history())


@dataclass
class Spending:
    """A history of gateways that ask a model within a budget; and what the model charges."""

    rng: random.Random
    server: MemoryServer
    charged: int = 0
    refused: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def gateway(self, account: BudgetAccount) -> None:
        await asyncio.gather(*(self.caller(account) for _ in range(6)))

    async def caller(self, account: BudgetAccount) -> None:
        while not self.stop.is_set():
            try:
                reservation = await account.reserve(MOST)
            except Unavailable:
                await asyncio.sleep(1)
                continue
            if reservation is None:
                self.refused += 1
                return
            cost = self.rng.randint(1, MOST.tokens)
            self.charged += cost  # at the latest now the provider charges, whether the gateway lives or not
            reservation.spent = MOST
            await asyncio.sleep(self.rng.random() * 3)
            reservation.spent = amount(tokens=cost, requests=1)
            reservation.settle()


@pytest.mark.parametrize("seed", range(40))
def test_killed_gateways_never_charge_more_than_the_budget(seed: int) -> None:
    async def history() -> None:
        rng = random.Random(seed)
        faults = StoreFaults(lost_requests=0.05, lost_responses=0.05) if seed % 2 else StoreFaults()
        server = MemoryServer(seed=seed, faults=StoreFaults())
        await add_budget(server, amount(tokens=600))
        server.faults = faults
        spending = Spending(rng, server)

        async def replica() -> None:
            while not spending.refused:
                process = KillableProcess("gateway")
                account = BudgetAccount(MemoryStore(server, transport=process).budgets, RUN)
                main = process.start(spending.gateway(account))
                await asyncio.wait({main}, timeout=rng.choice([2.0, 5.0, 1000.0]))
                process.kill()
                await process.wait_until_gone()

        await asyncio.gather(replica(), replica(), replica())
        server.faults = StoreFaults()
        ledger = await stored(server)
        assert ledger.exhausted
        assert spending.charged <= 600
        assert spending.charged <= (ledger.settled + ledger.reserved).tokens <= 600

    simulate(history(), limit_seconds=100_000)
