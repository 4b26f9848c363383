"""The runner against a hostile queue, replicas that are killed, and parts that go away: hundreds of seeded histories.

A failure names its seed; `history(seed)` plays exactly that one again.
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

from libra.errors import Unavailable
from libra.stage.bus import Outgoing
from libra.stage.errors import Reject, Retry
from libra.stage.policy import Policy
from libra.stage.runner import Stage, run
from libra.telemetry.metrics import Metrics
from libra.testing.hostile_bus import BusFaults, HostileBus, HostileDelivery
from libra.testing.virtual_time import simulate
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch

LONGEST_SECONDS = 50_000
POLICY = Policy(
    slots=3, attempts=4, deliveries=40, delays_seconds=(1.0, 5.0, 30.0), deadline_seconds=90.0, wait_seconds=8.0
)
"""More deliveries than malice alone could ever use up, so that what is set aside was set aside for its own sake."""

FATES = ("well", "well", "well", "slow", "retry", "reject", "bug", "hangs", "garbage")
ENDS_BADLY = ("reject", "bug", "hangs", "garbage")


@dataclass
class Replica:
    """A process's own way to the bus, which ends with the process."""

    bus: HostileBus
    killed: bool = False

    @property
    def ack_wait_seconds(self) -> float:
        return self.bus.ack_wait_seconds

    async def pull(self, consumer: str, limit: int) -> Sequence[Mortal]:
        return [Mortal(self, delivery) for delivery in await self.bus.pull(consumer, limit)]

    async def publish(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        self.check()
        await self.bus.publish(message, headers)

    def check(self) -> None:
        if self.killed:
            raise Unavailable("the dead send nothing")


@dataclass
class Mortal:
    """A delivery that a killed replica cannot settle."""

    replica: Replica
    delivery: HostileDelivery

    def __getattr__(self, name: str) -> Any:
        if name in ("working", "ack", "nak", "term"):
            self.replica.check()
        return getattr(self.delivery, name)


@dataclass
class World:
    """A stage on a few replicas, and what was asked of them."""

    seed: int
    messages: int = 12
    replicas: int = 2
    kills: int = 0
    outage: tuple[float, float] = (0.0, 0.0)
    bus: HostileBus = field(default_factory=HostileBus)
    fates: dict[int, str] = field(default_factory=dict)
    calls: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.fates = {sample: self.random.choice(FATES) for sample in range(self.messages)}

    async def handle(self, batch: TrialBatch) -> list[Outgoing]:
        sample = batch.trials[0].sample
        begin, end = self.outage
        await asyncio.sleep(self.random.choice([0, 0.1, 2]))
        if begin <= asyncio.get_running_loop().time() < end:
            raise Unavailable("MongoDB is away")
        self.calls[sample] += 1
        match self.fates[sample]:
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

    async def play(self) -> None:
        """Have every message end, with replicas that come and go."""
        for sample, fate in self.fates.items():
            await self.put(sample, b"\xff" if fate == "garbage" else batch(sample))
        stop = asyncio.Event()
        places = [asyncio.create_task(self.place(stop)) for _ in range(self.replicas)]
        while self.open():
            await asyncio.sleep(5)
        stop.set()
        await asyncio.gather(*places)

    async def put(self, sample: int, data: bytes) -> None:
        while not any(m.outgoing.key == f"in/{sample}" for m in self.bus.messages("work.judge")):
            try:
                await self.bus.publish(Outgoing("work.judge", f"in/{sample}", data), {})
            except Unavailable:
                await asyncio.sleep(1)

    def open(self) -> bool:
        return any(not message.settled for message in self.bus.messages("work.judge"))

    async def place(self, stop: asyncio.Event) -> None:
        """One replica after the other; some are killed, some are told to stop, and another takes the place."""
        while not stop.is_set():
            replica, own = Replica(self.bus), asyncio.Event()
            running = asyncio.create_task(run(self.stage(), "judge", replica, own, Metrics(CollectorRegistry())))
            life = self.random.choice([20, 100, 300, 900]) if self.kills else LONGEST_SECONDS
            await asyncio.wait({asyncio.create_task(stop.wait())}, timeout=life)
            if self.kills and not stop.is_set() and self.random.random() < 0.5:
                self.kills -= 1
                replica.killed = True
                running.cancel()
            own.set()
            await asyncio.wait({running})

    def stage(self) -> Stage[TrialBatch]:
        return Stage("judge", TrialBatch.FromString, self.handle, POLICY, lambda one: ("m", len(one.trials)))

    def check(self) -> None:
        """Every message ended as all of its outputs or as a dead letter, and never as both."""
        outputs = {message.outgoing.key for message in self.bus.messages("work.ranking")}
        dead = Counter(message.headers["Libra-Key"] for message in self.bus.messages("dead.judge"))
        for sample, fate in self.fates.items():
            whole = {f"out/{sample}/{part}" for part in range(sample % 3 + 1)}
            if fate in ENDS_BADLY:
                assert dead[f"in/{sample}"] >= 1, f"message {sample} ({fate}) was lost"
                assert not whole & outputs
            else:
                assert whole <= outputs, f"message {sample} ({fate}) was lost"
                assert not dead[f"in/{sample}"], f"message {sample} ({fate}) was set aside"
        assert sum(not message.settled for message in self.bus.messages("work.judge")) == 0


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """Keep the log of each bug that is played from being drawn, which takes longer than the rest."""
    with capture_logs():
        yield


def batch(sample: int) -> bytes:
    header = BatchHeader(run="r", model="m", task="t@1", attack="none")
    return TrialBatch(header=header, trials=[Trial(sample=sample)]).SerializeToString()


def bus(seed: int, **malice: float | bool) -> HostileBus:
    return HostileBus(seed=seed, faults=BusFaults(**malice))  # type: ignore[arg-type]  # each by its name


def history(world: World) -> World:
    simulate(world.play(), limit_seconds=LONGEST_SECONDS)
    world.check()
    return world


def each_seed(number: int) -> Callable[[Any], Any]:
    """Ten blocks of seeds, so that a failure tells where to look and the blocks run side by side."""
    blocks = [range(start, number, 10) for start in range(10)]
    return pytest.mark.parametrize("seeds", blocks, ids=[f"block{start}" for start in range(10)])


@each_seed(100)
def test_on_a_queue_that_behaves_each_message_ends_once_and_is_tried_no_oftener_than_it_may(seeds: range) -> None:
    for seed in seeds:
        world = history(World(seed, replicas=1, bus=bus(seed)))
        dead = Counter(message.headers["Libra-Key"] for message in world.bus.messages("dead.judge"))
        assert set(dead.values()) <= {1}, seed
        for sample, fate in world.fates.items():
            expected = {"retry": 3, "bug": 4, "hangs": 4, "garbage": 0}.get(fate, 1)
            assert world.calls[sample] == expected, (seed, sample, fate)


@each_seed(60)
def test_slow_work_is_given_to_one_replica_only(seeds: range) -> None:
    for seed in seeds:
        world = World(seed, replicas=3, bus=bus(seed, reordering=True))
        world.fates = dict.fromkeys(world.fates, "slow")
        history(world)
        assert set(world.calls.values()) == {1}, seed


@each_seed(150)
def test_nothing_is_lost_on_a_hostile_queue(seeds: range) -> None:
    for seed in seeds:
        malice = {"lost_settlements": 0.3, "lost_publishes": 0.3, "lost_pulls": 0.2, "reordering": True}
        world = history(World(seed, bus=bus(seed, **malice)))
        assert max(world.calls.values()) <= POLICY.deliveries, seed


@each_seed(100)
def test_nothing_is_lost_when_messages_are_given_out_twice(seeds: range) -> None:
    for seed in seeds:
        history(World(seed, bus=bus(seed, duplicates=0.02, lost_settlements=0.1, reordering=True)))


@each_seed(100)
def test_nothing_is_lost_when_replicas_are_killed_and_stopped(seeds: range) -> None:
    for seed in seeds:
        history(World(seed, replicas=3, kills=6, bus=bus(seed, lost_settlements=0.1, lost_publishes=0.1)))


@each_seed(30)
def test_an_hour_of_outage_costs_no_message_its_attempts(seeds: range) -> None:
    for seed in seeds:
        begin = random.Random(seed).choice([0.0, 10.0, 60.0])
        world = World(seed, replicas=2, kills=4, outage=(begin, 3600.0), bus=bus(seed, lost_publishes=0.1))
        history(world)


def test_the_same_seed_plays_the_same_history() -> None:
    def lengths() -> list[int]:
        world = history(World(7, kills=3, replicas=3, bus=bus(7, lost_settlements=0.3, lost_publishes=0.3)))
        return [message.attempts for message in world.bus.messages("work.judge")] + list(world.calls.values())

    assert lengths() == lengths()
