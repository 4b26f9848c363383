"""A model's limits hold for all replicas together, and are used: minutes of it, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from libra.gateway.limits.limiter import Lane
from libra.testing.virtual_time import simulate
from libra.v1.model_pb2 import Model, ModelLimits

from .grants import PACE, World

IN_FLIGHT, PER_MINUTE = 100, 1200
LAPSE = PACE.life_seconds


def model(**limits: int) -> Model:
    return Model(name="m", limits=ModelLimits(max_in_flight=IN_FLIGHT, timeout_seconds=60, **limits))


@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_in_flight_stays_at_the_limit_while_replicas_come_and_go(replicas: int) -> None:
    async def story() -> None:
        world = World(model(), replicas)
        async with world.running(replicas):
            await asyncio.sleep(30)
            added = world.add()
            await asyncio.sleep(30)
            added.kill()
            await asyncio.sleep(30)
            await world.add().leave()
            await asyncio.sleep(30)
        assert world.provider.most == IN_FLIGHT
        calm = [(5, 30), (30, 60), (60 + LAPSE + 5, 90), (95, 145)]
        assert min(world.provider.mean(*span) for span in calm) >= 0.95 * IN_FLIGHT
        # What a killed replica had is free once it has missed its renewals and its longest request must have ended.
        assert world.provider.mean(60, 60 + LAPSE + 5) >= IN_FLIGHT * (1 - 1 / (replicas + 1))

    simulate(story())


@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_no_minute_holds_more_requests_than_it_may_nor_much_less(replicas: int) -> None:
    async def story() -> None:
        world = World(model(requests_per_minute=PER_MINUTE), replicas)
        async with world.running(replicas):
            await asyncio.sleep(180)
            world.add()
            await asyncio.sleep(180)
            world.replicas[0].kill()
            await asyncio.sleep(180)
        assert max(world.provider.minutes(0, 540)) <= PER_MINUTE
        assert min(world.provider.minutes(65, 180)) >= 0.975 * PER_MINUTE
        assert min(world.provider.minutes(65, 359)) >= 0.95 * PER_MINUTE
        # A killed replica's part is nobody's for some eight seconds, and then comes as its last minute grows old.
        assert min(world.provider.minutes(300, 540)) >= 0.85 * PER_MINUTE
        assert len(world.provider.starts) >= 0.96 * PER_MINUTE * 540 / 60

    simulate(story())


def test_in_an_outage_a_replica_uses_its_grant_until_it_lapses_and_takes_it_up_again() -> None:
    async def story() -> None:
        world = World(model(), 7)
        async with world.running(2):
            await asyncio.sleep(20)
            world.bucket.down = True
            await asyncio.sleep(30)
            assert world.provider.mean(20, 22) >= 0.95 * IN_FLIGHT
            assert world.provider.mean(27, 50) == 0
            world.bucket.down = False
            await asyncio.sleep(10)
            assert world.provider.mean(52, 60) >= 0.95 * IN_FLIGHT
            assert world.provider.most == IN_FLIGHT
            assert {claim.parts[0].grant for claim in world.claims().claims.values()} == {50}

    simulate(story())


def test_a_short_outage_is_not_noticed() -> None:
    async def story() -> None:
        world = World(model(), 8)
        async with world.running(2):
            await asyncio.sleep(20)
            world.bucket.down = True
            await asyncio.sleep(2.5)
            world.bucket.down = False
            await asyncio.sleep(10)
            assert world.provider.mean(20, 30) >= 0.98 * IN_FLIGHT

    simulate(story())


def test_a_ledger_that_is_lost_is_written_again_by_those_who_hold_it() -> None:
    async def story() -> None:
        world = World(model(requests_per_minute=PER_MINUTE), 9)
        async with world.running(2):
            await asyncio.sleep(70)
            world.bucket.lose()
            world.add()
            await asyncio.sleep(120)
            assert world.provider.most <= IN_FLIGHT
            assert max(world.provider.minutes(0, 190)) <= PER_MINUTE
            assert min(world.provider.minutes(65, 190)) >= 0.9 * PER_MINUTE
            assert {claim.parts[0].grant for claim in world.claims().claims.values()} == {33, 34}

    simulate(story())


def test_the_first_call_waits_for_nothing_but_the_ledger() -> None:
    async def story() -> None:
        world = World(model(requests_per_minute=PER_MINUTE), 10)
        async with world.running(3, askers=0):
            await asyncio.sleep(100)
            assert not world.claims().claims
            for replica in world.replicas:
                begun = asyncio.get_running_loop().time()
                await replica.once(0.0)
                assert asyncio.get_running_loop().time() - begun < 0.5
            await asyncio.sleep(100)
            assert not world.claims().claims or not any(
                claim.parts[0].grant for claim in world.claims().claims.values()
            )

    simulate(story())


def test_a_call_to_a_replica_that_holds_nothing_does_not_wait_for_a_batch_of_another() -> None:
    async def story() -> None:
        world = World(model(), 11)
        async with world.running(1):
            caller = world.add(askers=0)
            await asyncio.sleep(20)
            waits = []
            for _ in range(20):
                begun = asyncio.get_running_loop().time()
                await caller.once(0.1, Lane.INTERACTIVE)
                waits.append(asyncio.get_running_loop().time() - begun - 0.1)
                await asyncio.sleep(0.5)
            assert waits[0] < 2.0
            assert sorted(waits)[10] < 0.1
            assert world.provider.most == IN_FLIGHT

    simulate(story())


def test_one_request_at_a_time_goes_round_among_replicas() -> None:
    async def story() -> None:
        world = World(Model(name="m", limits=ModelLimits(max_in_flight=1, timeout_seconds=60)), 12)
        async with world.running(3, askers=0):
            loop, done = asyncio.get_running_loop(), []

            async def ask(place: int) -> None:
                while True:
                    await world.replicas[place].once(0.5, Lane.BATCH)
                    done.append((loop.time(), place))

            tasks = [asyncio.create_task(ask(place)) for place in range(3)]
            await asyncio.sleep(120)
            for task in tasks:
                task.cancel()
        assert world.provider.most == 1
        assert len(done) >= 0.75 * 240
        assert {place for _, place in done} == {0, 1, 2}

    simulate(story())
