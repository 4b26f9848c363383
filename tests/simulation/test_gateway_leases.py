"""A model's limits hold for all replicas together and are fully used, over minutes of virtual time."""

from __future__ import annotations

import asyncio

import pytest

from libra.gateway.limits.admission_queue import Lane
from libra.testing.virtual_time import simulate
from libra.v1.model_pb2 import Model, ModelLimits

from .lease_simulation import TIMING, LeaseSimulation

IN_FLIGHT, PER_MINUTE = 100, 1200
LIFETIME = TIMING.lifetime_seconds


def model(**limits: int) -> Model:
    return Model(name="m", limits=ModelLimits(max_in_flight=IN_FLIGHT, timeout_seconds=60, **limits))


@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_in_flight_stays_at_the_limit_while_replicas_come_and_go(replicas: int) -> None:
    async def scenario() -> None:
        simulation = LeaseSimulation(model(), replicas)
        async with simulation.running(replicas):
            await asyncio.sleep(30)
            added = simulation.add_replica()
            await asyncio.sleep(30)
            added.kill()
            await asyncio.sleep(30)
            await simulation.add_replica().shut_down()
            await asyncio.sleep(30)
        assert simulation.provider.max_in_flight == IN_FLIGHT
        steady = [(5, 30), (30, 60), (60 + LIFETIME + 5, 90), (95, 145)]
        assert min(simulation.provider.mean_in_flight(*span) for span in steady) >= 0.95 * IN_FLIGHT
        # The quota of a killed replica is free once its lease has expired and its longest request must have ended.
        assert simulation.provider.mean_in_flight(60, 60 + LIFETIME + 5) >= IN_FLIGHT * (1 - 1 / (replicas + 1))

    simulate(scenario())


@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_every_minute_holds_nearly_the_limit_and_never_more(replicas: int) -> None:
    async def scenario() -> None:
        simulation = LeaseSimulation(model(requests_per_minute=PER_MINUTE), replicas)
        async with simulation.running(replicas):
            await asyncio.sleep(180)
            simulation.add_replica()
            await asyncio.sleep(180)
            simulation.replicas[0].kill()
            await asyncio.sleep(180)
        assert max(simulation.provider.requests_per_minute(0, 540)) <= PER_MINUTE
        assert min(simulation.provider.requests_per_minute(65, 180)) >= 0.975 * PER_MINUTE
        assert min(simulation.provider.requests_per_minute(65, 359)) >= 0.95 * PER_MINUTE
        # Nobody has the quota of a killed replica for about eight seconds; then it becomes free as its window ages.
        assert min(simulation.provider.requests_per_minute(300, 540)) >= 0.85 * PER_MINUTE
        assert len(simulation.provider.starts) >= 0.96 * PER_MINUTE * 540 / 60

    simulate(scenario())


def test_in_an_outage_a_replica_uses_its_lease_until_it_expires_and_renews_it_afterwards() -> None:
    async def scenario() -> None:
        simulation = LeaseSimulation(model(), 7)
        async with simulation.running(2):
            await asyncio.sleep(20)
            simulation.bucket.down = True
            await asyncio.sleep(30)
            assert simulation.provider.mean_in_flight(20, 22) >= 0.95 * IN_FLIGHT
            assert simulation.provider.mean_in_flight(27, 50) == 0
            simulation.bucket.down = False
            await asyncio.sleep(10)
            assert simulation.provider.mean_in_flight(52, 60) >= 0.95 * IN_FLIGHT
            assert simulation.provider.max_in_flight == IN_FLIGHT
            assert {lease.quota[0] for lease in simulation.read_leases().leases.values()} == {50}

    simulate(scenario())


def test_a_short_outage_changes_nothing() -> None:
    async def scenario() -> None:
        simulation = LeaseSimulation(model(), 8)
        async with simulation.running(2):
            await asyncio.sleep(20)
            simulation.bucket.down = True
            await asyncio.sleep(2.5)
            simulation.bucket.down = False
            await asyncio.sleep(10)
            assert simulation.provider.mean_in_flight(20, 30) >= 0.98 * IN_FLIGHT

    simulate(scenario())


def test_a_lost_table_is_written_again_by_the_lease_holders() -> None:
    async def scenario() -> None:
        simulation = LeaseSimulation(model(requests_per_minute=PER_MINUTE), 9)
        async with simulation.running(2):
            await asyncio.sleep(70)
            simulation.bucket.lose_data()
            simulation.add_replica()
            await asyncio.sleep(120)
            assert simulation.provider.max_in_flight <= IN_FLIGHT
            assert max(simulation.provider.requests_per_minute(0, 190)) <= PER_MINUTE
            assert min(simulation.provider.requests_per_minute(65, 190)) >= 0.9 * PER_MINUTE
            assert {lease.quota[0] for lease in simulation.read_leases().leases.values()} == {33, 34}

    simulate(scenario())


def test_the_first_call_waits_only_for_the_lease() -> None:
    async def scenario() -> None:
        simulation = LeaseSimulation(model(requests_per_minute=PER_MINUTE), 10)
        async with simulation.running(3, callers=0):
            await asyncio.sleep(100)
            assert not simulation.read_leases().leases
            for replica in simulation.replicas:
                began = asyncio.get_running_loop().time()
                await replica.send_request(0.0)
                assert asyncio.get_running_loop().time() - began < 0.5
            await asyncio.sleep(100)
            assert not simulation.read_leases().leases or not any(
                lease.quota[0] for lease in simulation.read_leases().leases.values()
            )
            assert not simulation.holders.recorded_at

    simulate(scenario())


def test_a_replica_that_is_alone_does_not_wait_for_a_new_table() -> None:
    async def scenario() -> None:
        simulation = LeaseSimulation(model(requests_per_minute=PER_MINUTE), 13)
        simulation.bucket.lose_data()
        async with simulation.running(1, callers=0):
            began = asyncio.get_running_loop().time()
            await simulation.replicas[0].send_request(0.0)
            assert asyncio.get_running_loop().time() - began < 0.5

    simulate(scenario())


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("replicas", [2, 3])
def test_replicas_that_begin_together_on_a_new_table_stay_within_the_limit(seed: int, replicas: int) -> None:
    async def scenario() -> None:
        simulation = LeaseSimulation(model(requests_per_minute=PER_MINUTE), seed)
        simulation.bucket.lose_data()
        async with simulation.running(replicas):
            await asyncio.sleep(20)
            simulation.bucket.lose_data()
            simulation.add_replica()
            await asyncio.sleep(60)
        assert simulation.provider.max_in_flight <= IN_FLIGHT
        assert max(simulation.provider.requests_per_minute(0, 80)) <= PER_MINUTE
        assert simulation.provider.mean_in_flight(0, 80) > 0

    simulate(scenario())


@pytest.mark.parametrize("seed", range(10))
def test_a_table_that_is_lost_with_a_killed_replica_is_waited_for(seed: int) -> None:
    async def scenario() -> None:
        simulation = LeaseSimulation(model(), seed, min_seconds=3.0, max_seconds=5.0)
        async with simulation.running(1):
            await asyncio.sleep(20)
            simulation.replicas[0].kill()
            simulation.bucket.lose_data()
            simulation.add_replica()
            await asyncio.sleep(LIFETIME + 5)
            assert simulation.provider.mean_in_flight(20 + LIFETIME + 2, 20 + LIFETIME + 5) >= 0.9 * IN_FLIGHT
        assert simulation.provider.max_in_flight <= IN_FLIGHT

    simulate(scenario())


def test_the_record_of_a_killed_replica_is_removed_once_its_lease_has_expired() -> None:
    async def scenario() -> None:
        simulation = LeaseSimulation(model(), 14)
        async with simulation.running(1):
            await asyncio.sleep(20)
            simulation.replicas[0].kill()
            await asyncio.sleep(100)
            simulation.add_replica()
            await asyncio.sleep(20)
            simulation.add_replica()
            await asyncio.sleep(5)
            assert set(simulation.holders.recorded_at) == {replica.renewer.holder for replica in simulation.replicas}

    simulate(scenario())


def test_a_call_to_a_replica_without_a_lease_does_not_wait_for_a_batch_of_another() -> None:
    async def scenario() -> None:
        simulation = LeaseSimulation(model(), 11)
        async with simulation.running(1):
            replica = simulation.add_replica(callers=0)
            await asyncio.sleep(20)
            wait_seconds = []
            for _ in range(20):
                began = asyncio.get_running_loop().time()
                await replica.send_request(0.1, Lane.INTERACTIVE)
                wait_seconds.append(asyncio.get_running_loop().time() - began - 0.1)
                await asyncio.sleep(0.5)
            assert wait_seconds[0] < 2.0
            assert sorted(wait_seconds)[10] < 0.1
            assert simulation.provider.max_in_flight == IN_FLIGHT

    simulate(scenario())


def test_a_limit_of_one_request_rotates_among_replicas() -> None:
    async def scenario() -> None:
        simulation = LeaseSimulation(Model(name="m", limits=ModelLimits(max_in_flight=1, timeout_seconds=60)), 12)
        async with simulation.running(3, callers=0):
            loop, completed = asyncio.get_running_loop(), []

            async def start_request(index: int) -> None:
                while True:
                    await simulation.replicas[index].send_request(0.5, Lane.BATCH)
                    completed.append((loop.time(), index))

            tasks = [asyncio.create_task(start_request(index)) for index in range(3)]
            await asyncio.sleep(120)
            for task in tasks:
                task.cancel()
        assert simulation.provider.max_in_flight == 1
        assert len(completed) >= 0.75 * 240
        assert {index for _, index in completed} == {0, 1, 2}

    simulate(scenario())
