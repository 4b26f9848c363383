"""Each time and event of a schedule creates one run, whichever replicas of dispatch die at whichever call."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from libra.dispatch.schedules.cron import CronTimes
from libra.testing.memory import MemoryServer, StoreFaults
from libra.testing.virtual_time import simulate
from libra.v1.model_pb2 import Model
from libra.v1.run_pb2 import RunSpec
from libra.v1.schedule_pb2 import FiringCause, FiringState, MissedPolicy, OverlapPolicy

from .schedule_simulation import SETTLE_SECONDS, ScheduleSimulation, times_of

SPRING = datetime(2026, 3, 29, 0, 10, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 25, 0, 10, tzinfo=UTC)
"""Less than an hour before the clocks of Berlin change, at 01:00 UTC."""

FAULTS = StoreFaults(lost_requests=0.05, lost_responses=0.05)
HOUR = 3600.0
STARTED, SKIPPED = FiringState.FIRING_STATE_STARTED, FiringState.FIRING_STATE_SKIPPED
FAILED = FiringState.FIRING_STATE_FAILED


def simulated(seed: int, start: datetime = SPRING, faults: StoreFaults | None = None) -> ScheduleSimulation:
    server = MemoryServer(seed=seed, start_time=start)
    simulation = ScheduleSimulation(server, random.Random(seed), faults or StoreFaults())
    server.models["m"] = {"_id": "m", "name": "m", "create_time": start}
    return simulation


@pytest.mark.parametrize("start", [SPRING, AUTUMN], ids=["spring", "autumn"])
@pytest.mark.parametrize("seed", range(6))
def test_each_time_creates_one_run_while_replicas_die_and_the_store_fails(seed: int, start: datetime) -> None:
    async def scenario() -> None:
        simulation = simulated(seed, start, FAULTS)
        schedules = [
            await simulation.add_schedule(name, cron, "Europe/Berlin", overlap=OverlapPolicy.OVERLAP_POLICY_ALLOW)
            for name, cron in (("nightly", "30 2 * * *"), ("often", "*/20 * * * *"), ("twice", "15,45 2,3 * * *"))
        ]
        begins = {each.name: simulation.server.now() for each in schedules}
        await simulation.run(3 * HOUR, replicas=1 + seed % 3, max_calls=40)
        for schedule in schedules:
            firings = simulation.firings(schedule.name)
            times = CronTimes(schedule.cron, schedule.zone).list_next(begins[schedule.name], len(firings) + 1)
            assert [each.time.ToDatetime(tzinfo=UTC) for each in firings] == times[:-1]
            assert times[-1] > simulation.server.now() - timedelta(seconds=60)
            assert {each.state for each in firings} == {STARTED}
        simulation.check_laws()

    simulate(scenario())


@pytest.mark.parametrize(
    ("start", "expected"), [(SPRING, ["29 01:00"]), (AUTUMN, ["25 00:30"])], ids=["skipped", "repeated"]
)
def test_a_time_in_the_hour_that_is_skipped_or_repeated_fires_once(start: datetime, expected: list[str]) -> None:
    async def scenario() -> None:
        simulation = simulated(1, start)
        await simulation.add_schedule("nightly", "30 2 * * *", "Europe/Berlin")
        await simulation.run(3 * HOUR, replicas=2, max_calls=None)
        assert times_of(simulation.firings("nightly")) == expected
        simulation.check_laws()

    simulate(scenario())


@pytest.mark.parametrize("policy", [OverlapPolicy.OVERLAP_POLICY_SKIP, OverlapPolicy.OVERLAP_POLICY_QUEUE])
@pytest.mark.parametrize("seed", range(2))
def test_runs_never_overlap_unless_the_schedule_allows_it(seed: int, policy: OverlapPolicy.ValueType) -> None:
    async def scenario() -> None:
        simulation = simulated(seed, SPRING, FAULTS)
        await simulation.add_schedule("often", "*/5 * * * *", overlap=policy)
        ending = asyncio.create_task(simulation.end_runs(400))
        await simulation.run(HOUR, replicas=3, max_calls=60)
        await simulation.settle(3 * HOUR)
        ending.cancel()
        simulation.check_laws()
        spans = sorted(simulation.spans.values())
        assert len(spans) >= 5
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
        skipped = [each for each in simulation.firings("often") if each.state == SKIPPED]
        assert all("had not ended" in each.reason or "were waiting" in each.reason for each in skipped)
        assert bool(skipped) or policy == OverlapPolicy.OVERLAP_POLICY_QUEUE

    simulate(scenario())


@pytest.mark.parametrize(
    ("missed", "expected"),
    [
        (MissedPolicy.MISSED_POLICY_SKIP, [("29 01:00", SKIPPED), ("29 04:00", SKIPPED)]),
        (MissedPolicy.MISSED_POLICY_CATCH_UP, [("29 01:00", SKIPPED), ("29 04:00", STARTED)]),
    ],
    ids=["skip", "catch up"],
)
def test_times_that_no_replica_saw_are_skipped_or_caught_up_once(
    missed: MissedPolicy.ValueType, expected: list[tuple[str, FiringState.ValueType]]
) -> None:
    async def scenario() -> None:
        simulation = simulated(3)
        await simulation.add_schedule("hourly", "0 * * * *", missed=missed)
        await asyncio.sleep(4.2 * HOUR)  # 04:22, and nobody was there
        await simulation.run(600, replicas=2, max_calls=None)
        firings = simulation.firings("hourly")
        assert [(time, each.state) for time, each in zip(times_of(firings), firings, strict=True)] == expected
        assert "no dispatch was running until" in firings[0].reason
        simulation.check_laws()

    simulate(scenario())


@pytest.mark.parametrize("missed", [MissedPolicy.MISSED_POLICY_SKIP, MissedPolicy.MISSED_POLICY_CATCH_UP])
def test_recent_times_fire_late_and_older_ones_do_not_catch_up_beside_them(missed: MissedPolicy.ValueType) -> None:
    async def scenario() -> None:
        simulation = simulated(4)
        allow = OverlapPolicy.OVERLAP_POLICY_ALLOW
        await simulation.add_schedule("often", "*/4 * * * *", overlap=allow, missed=missed)
        await asyncio.sleep(HOUR)  # 01:10
        await simulation.run(60, replicas=2, max_calls=None)
        firings = simulation.firings("often")[:4]
        assert [(time, each.state) for time, each in zip(times_of(firings), firings, strict=True)] == [
            ("29 00:12", SKIPPED),
            ("29 01:00", STARTED),
            ("29 01:04", STARTED),
            ("29 01:08", STARTED),
        ]
        assert "with every later time before 2026-03-29 01:00:00 UTC" in firings[0].reason
        simulation.check_laws()

    simulate(scenario())


def test_a_short_absence_of_every_replica_delays_a_firing_and_loses_none() -> None:
    async def scenario() -> None:
        simulation = simulated(4)
        await simulation.add_schedule("hourly", "0 * * * *")
        await asyncio.sleep(50 * 60 + 500)  # the time of 01:00 passed 500 s ago
        await simulation.run(60, replicas=1, max_calls=None)
        assert [each.state for each in simulation.firings("hourly")] == [STARTED]

    simulate(scenario())


@pytest.mark.parametrize("seed", range(4))
def test_each_registration_of_a_matching_model_creates_one_run(seed: int) -> None:
    async def scenario() -> None:
        simulation = simulated(seed, SPRING)
        await asyncio.sleep(60)
        template = RunSpec(models=["m", "{model}"], tasks=["*"])
        await simulation.add_schedule(
            "new", on_model="release-*", template=template, overlap=OverlapPolicy.OVERLAP_POLICY_ALLOW
        )
        work = asyncio.create_task(simulation.run(2000, replicas=2, max_calls=30))
        names = ["release-1", "other", "release-2", "release-1"]
        for name in names:
            await asyncio.sleep(300)
            await simulation.store.models.delete(name)
            await simulation.store.models.add(Model(name=name))
            simulation.server.models[name]["create_time"] = simulation.server.now()
        await work
        firings = simulation.firings("new")
        assert [(each.model, each.state, each.cause) for each in firings] == [
            (name, STARTED, FiringCause.FIRING_CAUSE_MODEL) for name in ("release-1", "release-2", "release-1")
        ]
        assert [list(record.run.spec.models) for record in simulation.runs()] == [
            ["m", firing.model] for firing in firings
        ]
        simulation.check_laws()

    simulate(scenario())


def test_a_template_whose_model_is_gone_fails_the_firing_and_not_the_schedule() -> None:
    async def scenario() -> None:
        simulation = simulated(5)
        await simulation.add_schedule("hourly", "0 * * * *")
        gone = simulation.server.models.pop("m")
        await simulation.run(HOUR - SETTLE_SECONDS, replicas=2, max_calls=None)
        simulation.server.models["m"] = gone
        await simulation.run(HOUR, replicas=2, max_calls=None)
        first, second = simulation.firings("hourly")
        assert (first.state, first.reason) == (FAILED, "models[0]: there is no model 'm'")
        assert second.state == STARTED
        simulation.check_laws()

    simulate(scenario())


def test_a_paused_or_deleted_schedule_creates_no_run() -> None:
    async def scenario() -> None:
        simulation = simulated(6)
        queue = OverlapPolicy.OVERLAP_POLICY_QUEUE
        paused = await simulation.add_schedule("paused", "*/10 * * * *", overlap=queue)
        await simulation.add_schedule("deleted", "*/10 * * * *", overlap=queue)
        await simulation.run(1000, replicas=1, max_calls=None)
        assert len(simulation.runs()) == 2  # they do not end, so that one firing of each schedule waits
        await simulation.store.schedules.pause(paused)
        await simulation.store.schedules.delete("deleted")
        await simulation.run(HOUR, replicas=2, max_calls=None)
        assert len(simulation.runs()) == 2
        waiting = [simulation.firings(name)[-1] for name in ("paused", "deleted")]
        assert [each.reason for each in waiting] == ["the schedule was paused", "the schedule was deleted"]

    simulate(scenario())


def test_at_most_ten_firings_wait() -> None:
    async def scenario() -> None:
        simulation = simulated(7)
        await simulation.add_schedule("often", "*/5 * * * *", overlap=OverlapPolicy.OVERLAP_POLICY_QUEUE)
        await simulation.run(2 * HOUR, replicas=2, max_calls=None)
        states = [each.state for each in simulation.firings("often")]
        assert states.count(FiringState.FIRING_STATE_PENDING) == 10
        assert states[0] == STARTED
        assert set(states[11:]) == {SKIPPED}

    simulate(scenario())
