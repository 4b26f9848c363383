"""A model's limits hold for all replicas together and are fully used: minutes in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from libra.gateway.limits.admission_queue import Lane
from libra.testing.virtual_time import simulate
from libra.v1.model_pb2 import Model, ModelLimits

from .lease_simulation import TIMING, World

IN_FLIGHT, PER_MINUTE = 100, 1200
LIFETIME = TIMING.lifetime_seconds


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
        assert world.provider.most_in_flight == IN_FLIGHT
        calm = [(5, 30), (30, 60), (60 + LIFETIME + 5, 90), (95, 145)]
        assert min(world.provider.mean(*span) for span in calm) >= 0.95 * IN_FLIGHT
        # The quota of a killed replica is free once its lease has expired and its longest request must have ended.
        assert world.provider.mean(60, 60 + LIFETIME + 5) >= IN_FLIGHT * (1 - 1 / (replicas + 1))

    simulate(story())


@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_every_minute_holds_nearly_the_limit_and_never_more(replicas: int) -> None:
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
        # Nobody has the quota of a killed replica for about eight seconds; then it becomes free as its window ages.
        assert min(world.provider.minutes(300, 540)) >= 0.85 * PER_MINUTE
        assert len(world.provider.starts) >= 0.96 * PER_MINUTE * 540 / 60

    simulate(story())


def test_in_an_outage_a_replica_uses_its_lease_until_it_expires_and_renews_it_afterwards() -> None:
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
            assert world.provider.most_in_flight == IN_FLIGHT
            assert {lease.quota[0] for lease in world.table().leases.values()} == {50}

    simulate(story())


def test_a_short_outage_changes_nothing() -> None:
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


def test_a_lost_table_is_written_again_by_the_lease_holders() -> None:
    async def story() -> None:
        world = World(model(requests_per_minute=PER_MINUTE), 9)
        async with world.running(2):
            await asyncio.sleep(70)
            world.bucket.lose()
            world.add()
            await asyncio.sleep(120)
            assert world.provider.most_in_flight <= IN_FLIGHT
            assert max(world.provider.minutes(0, 190)) <= PER_MINUTE
            assert min(world.provider.minutes(65, 190)) >= 0.9 * PER_MINUTE
            assert {lease.quota[0] for lease in world.table().leases.values()} == {33, 34}

    simulate(story())


def test_the_first_call_waits_only_for_the_lease() -> None:
    async def story() -> None:
        world = World(model(requests_per_minute=PER_MINUTE), 10)
        async with world.running(3, callers=0):
            await asyncio.sleep(100)
            assert not world.table().leases
            for replica in world.replicas:
                begun = asyncio.get_running_loop().time()
                await replica.once(0.0)
                assert asyncio.get_running_loop().time() - begun < 0.5
            await asyncio.sleep(100)
            assert not world.table().leases or not any(lease.quota[0] for lease in world.table().leases.values())

    simulate(story())


def test_a_call_to_a_replica_without_a_lease_does_not_wait_for_a_batch_of_another() -> None:
    async def story() -> None:
        world = World(model(), 11)
        async with world.running(1):
            replica = world.add(callers=0)
            await asyncio.sleep(20)
            waits = []
            for _ in range(20):
                begun = asyncio.get_running_loop().time()
                await replica.once(0.1, Lane.INTERACTIVE)
                waits.append(asyncio.get_running_loop().time() - begun - 0.1)
                await asyncio.sleep(0.5)
            assert waits[0] < 2.0
            assert sorted(waits)[10] < 0.1
            assert world.provider.most_in_flight == IN_FLIGHT

    simulate(story())


def test_a_limit_of_one_request_rotates_among_replicas() -> None:
    async def story() -> None:
        world = World(Model(name="m", limits=ModelLimits(max_in_flight=1, timeout_seconds=60)), 12)
        async with world.running(3, callers=0):
            loop, done = asyncio.get_running_loop(), []

            async def ask(place: int) -> None:
                while True:
                    await world.replicas[place].once(0.5, Lane.BATCH)
                    done.append((loop.time(), place))

            tasks = [asyncio.create_task(ask(place)) for place in range(3)]
            await asyncio.sleep(120)
            for task in tasks:
                task.cancel()
        assert world.provider.most_in_flight == 1
        assert len(done) >= 0.75 * 240
        assert {place for _, place in done} == {0, 1, 2}

    simulate(story())
