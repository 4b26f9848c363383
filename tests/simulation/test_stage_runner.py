"""The stage runner on a hostile queue, with killed replicas and outages: hundreds of seeded histories.

A failure names its seed; `run_history(StageSimulation(seed, ...))` repeats exactly that history.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from libra.core.errors import Unavailable
from libra.stage.bus import Outgoing
from libra.stage.errors import Reject, Retry
from libra.stage.policy import Policy
from libra.stage.runner import Stage, run
from libra.telemetry.metrics import Metrics
from libra.testing.hostile_bus import BusFaults, HostileBus, HostileDelivery
from libra.testing.virtual_time import simulate
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch

LIMIT_SECONDS = 50_000
POLICY = Policy(
    slots=3, attempts=4, deliveries=40, delays_seconds=(1.0, 5.0, 30.0), deadline_seconds=90.0, wait_seconds=8.0
)
"""More deliveries than the queue's faults alone can use up: each dead letter has its cause in the message."""

BEHAVIOURS = ("well", "well", "well", "slow", "retry", "reject", "bug", "hangs", "garbage")
DEAD_LETTERED = ("reject", "bug", "hangs", "garbage")


@dataclass
class Replica:
    """The connection of one process to the bus, which ends with the process."""

    bus: HostileBus
    killed: bool = False

    @property
    def ack_wait_seconds(self) -> float:
        return self.bus.ack_wait_seconds

    async def pull(self, consumer: str, limit: int) -> Sequence[ReplicaDelivery]:
        return [ReplicaDelivery(self, delivery) for delivery in await self.bus.pull(consumer, limit)]

    async def publish(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        self.check()
        await self.bus.publish(message, headers)

    def check(self) -> None:
        if self.killed:
            raise Unavailable("the process was killed")


@dataclass
class ReplicaDelivery:
    """A delivery that a killed replica cannot settle."""

    replica: Replica
    delivery: HostileDelivery

    def __getattr__(self, name: str) -> Any:
        if name in ("working", "ack", "nak", "term"):
            self.replica.check()
        return getattr(self.delivery, name)


@dataclass
class StageSimulation:
    """A stage on several replicas, its messages, and the calls of its handler."""

    seed: int
    messages: int = 12
    replicas: int = 2
    kills: int = 0
    outage: tuple[float, float] = (0.0, 0.0)
    bus: HostileBus = field(default_factory=HostileBus)
    behaviours: dict[int, str] = field(default_factory=dict)
    calls: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.behaviours = {sample: self.random.choice(BEHAVIOURS) for sample in range(self.messages)}

    async def handle(self, batch: TrialBatch) -> list[Outgoing]:
        sample = batch.trials[0].sample
        begin, end = self.outage
        await asyncio.sleep(self.random.choice([0, 0.1, 2]))
        if begin <= asyncio.get_running_loop().time() < end:
            raise Unavailable("MongoDB is down")
        self.calls[sample] += 1
        match self.behaviours[sample]:
            case "slow":
                await asyncio.sleep(80)
            case "retry" if self.calls[sample] <= 2:
                raise Retry("busy", after_seconds=self.random.choice([None, 0.0, 3.0]))
            case "reject":
                raise Reject("never")
            case "bug":
                raise RuntimeError("a bug")
            case "hangs":
                await asyncio.sleep(10_000)
        return [Outgoing("work.ranking", f"out/{sample}/{part}", b"answer") for part in range(sample % 3 + 1)]

    async def run_all(self) -> None:
        """Publish all messages and run replicas until every message is settled."""
        for sample, behaviour in self.behaviours.items():
            await self.publish(sample, b"\xff" if behaviour == "garbage" else batch(sample))
        stop = asyncio.Event()
        replicas = [asyncio.create_task(self.run_replica(stop)) for _ in range(self.replicas)]
        while self.has_unsettled():
            await asyncio.sleep(5)
        stop.set()
        await asyncio.gather(*replicas)

    async def publish(self, sample: int, data: bytes) -> None:
        while not any(m.outgoing.key == f"in/{sample}" for m in self.bus.messages("work.judge")):
            try:
                await self.bus.publish(Outgoing("work.judge", f"in/{sample}", data), {})
            except Unavailable:
                await asyncio.sleep(1)

    def has_unsettled(self) -> bool:
        return any(not message.settled for message in self.bus.messages("work.judge"))

    async def run_replica(self, stop: asyncio.Event) -> None:
        """Run one process after another; each is killed or stopped after some time, and the next one replaces it."""
        while not stop.is_set():
            replica, own_stop = Replica(self.bus), asyncio.Event()
            running = asyncio.create_task(run(self.stage(), "judge", replica, own_stop, Metrics(CollectorRegistry())))
            life_seconds = self.random.choice([20, 100, 300, 900]) if self.kills else LIMIT_SECONDS
            await asyncio.wait({asyncio.create_task(stop.wait())}, timeout=life_seconds)
            if self.kills and not stop.is_set() and self.random.random() < 0.5:
                self.kills -= 1
                replica.killed = True
                running.cancel()
            own_stop.set()
            await asyncio.wait({running})

    def stage(self) -> Stage[TrialBatch]:
        return Stage("judge", TrialBatch.FromString, self.handle, POLICY, lambda one: ("m", len(one.trials)))

    def check(self) -> None:
        """Check that each message ended with all of its outputs or as a dead letter, and never with both."""
        outputs = {message.outgoing.key for message in self.bus.messages("work.ranking")}
        dead_letters = Counter(message.headers["Libra-Key"] for message in self.bus.messages("dead.judge"))
        for sample, behaviour in self.behaviours.items():
            complete = {f"out/{sample}/{part}" for part in range(sample % 3 + 1)}
            if behaviour in DEAD_LETTERED:
                assert dead_letters[f"in/{sample}"] >= 1, f"message {sample} ({behaviour}) was lost"
                assert not complete & outputs
            else:
                assert complete <= outputs, f"message {sample} ({behaviour}) was lost"
                assert not dead_letters[f"in/{sample}"], f"message {sample} ({behaviour}) was dead-lettered"
        assert sum(not message.settled for message in self.bus.messages("work.judge")) == 0


@pytest.fixture(autouse=True)
def _captured_logs() -> Iterator[None]:
    """Capture log lines: rendering the traceback of each simulated bug takes longer than all the rest."""
    with capture_logs():
        yield


def batch(sample: int) -> bytes:
    header = BatchHeader(run="r", model="m", task="t@1", attack="none")
    return TrialBatch(header=header, trials=[Trial(sample=sample)]).SerializeToString()


def bus(seed: int, **faults: float | bool) -> HostileBus:
    return HostileBus(seed=seed, faults=BusFaults(**faults))  # type: ignore[arg-type]  # by field name


def run_history(simulation: StageSimulation) -> StageSimulation:
    simulate(simulation.run_all(), limit_seconds=LIMIT_SECONDS)
    simulation.check()
    return simulation


def each_seed(number: int) -> Callable[[Any], Any]:
    """Parametrize a test with ten blocks of seeds, which can run in parallel."""
    blocks = [range(start, number, 10) for start in range(10)]
    return pytest.mark.parametrize("seeds", blocks, ids=[f"block{start}" for start in range(10)])


@each_seed(100)
def test_on_a_reliable_queue_each_message_ends_once_within_its_attempts(seeds: range) -> None:
    for seed in seeds:
        simulation = run_history(StageSimulation(seed, replicas=1, bus=bus(seed)))
        dead_letters = Counter(message.headers["Libra-Key"] for message in simulation.bus.messages("dead.judge"))
        assert set(dead_letters.values()) <= {1}, seed
        for sample, behaviour in simulation.behaviours.items():
            expected = {"retry": 3, "bug": 4, "hangs": 4, "garbage": 0}.get(behaviour, 1)
            assert simulation.calls[sample] == expected, (seed, sample, behaviour)


@each_seed(60)
def test_slow_work_is_delivered_to_one_replica_only(seeds: range) -> None:
    for seed in seeds:
        simulation = StageSimulation(seed, replicas=3, bus=bus(seed, reordering=True))
        simulation.behaviours = dict.fromkeys(simulation.behaviours, "slow")
        run_history(simulation)
        assert set(simulation.calls.values()) == {1}, seed


@each_seed(150)
def test_nothing_is_lost_on_a_hostile_queue(seeds: range) -> None:
    for seed in seeds:
        faults = {"lost_acknowledgements": 0.3, "lost_publishes": 0.3, "lost_pulls": 0.2, "reordering": True}
        simulation = run_history(StageSimulation(seed, bus=bus(seed, **faults)))
        assert max(simulation.calls.values()) <= POLICY.deliveries, seed


@each_seed(100)
def test_nothing_is_lost_when_messages_are_delivered_twice(seeds: range) -> None:
    for seed in seeds:
        run_history(StageSimulation(seed, bus=bus(seed, duplicates=0.02, lost_acknowledgements=0.1, reordering=True)))


@each_seed(100)
def test_nothing_is_lost_when_replicas_are_killed_and_stopped(seeds: range) -> None:
    for seed in seeds:
        run_history(
            StageSimulation(seed, replicas=3, kills=6, bus=bus(seed, lost_acknowledgements=0.1, lost_publishes=0.1))
        )


@each_seed(30)
def test_an_hour_of_outage_costs_no_message_its_attempts(seeds: range) -> None:
    for seed in seeds:
        begin = random.Random(seed).choice([0.0, 10.0, 60.0])
        simulation = StageSimulation(
            seed, replicas=2, kills=4, outage=(begin, 3600.0), bus=bus(seed, lost_publishes=0.1)
        )
        run_history(simulation)


def test_the_same_seed_gives_the_same_history() -> None:
    def lengths() -> list[int]:
        simulation = run_history(
            StageSimulation(7, kills=3, replicas=3, bus=bus(7, lost_acknowledgements=0.3, lost_publishes=0.3))
        )
        return [message.attempts for message in simulation.bus.messages("work.judge")] + list(simulation.calls.values())

    assert lengths() == lengths()
