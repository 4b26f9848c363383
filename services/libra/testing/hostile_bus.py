"""A queue in memory with JetStream's rules of redelivery and a seeded malice; `libra.stage.bus.Bus` without a server.

    bus = HostileBus(seed=7, malice=Malice(lost_settlements=0.3, lost_publishes=0.2))
    await bus.publish(Outgoing("work.judge", key, data), {})
    await run(stage, "judge", bus, stop, metrics)
    assert bus.messages("work.ranking")

Consumers are named as on the real one: "judge" reads `work.judge`, "gateway-<model>" reads `work.gateway.<model>`. All time is
the event loop's, so that it runs in virtual time (`libra.testing.virtual_time`) as well as in real.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from libra.errors import Unavailable
from libra.stage.bus import Outgoing, QueueFull

PULL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class BusFaults:
    """How often the queue misbehaves; each a probability. Without any it behaves as well as a real one."""

    lost_acknowledgements: float = 0.0
    """An ack, nak or term never arrives; every other time the worker is told."""

    lost_publishes: float = 0.0
    """A publish raises Unavailable; every other time the message was stored all the same."""

    lost_pulls: float = 0.0
    """A pull raises Unavailable."""

    duplicates: float = 0.0
    """A message is given out though somebody has it in hand."""

    reordering: bool = False
    """Messages are given out in any order."""


@dataclass(slots=True)
class QueuedMessage:
    """One message that was stored, and what became of it."""

    seq: int
    outgoing: Outgoing
    headers: Mapping[str, str]
    attempts: int = 0
    """How often it was given out."""

    due_seconds: float = 0.0
    """Not given out before."""

    settled: bool = False
    """Acknowledged or terminated."""


@dataclass(frozen=True, slots=True)
class HostileDelivery:
    """Implements `libra.stage.bus.Delivery`."""

    bus: HostileBus
    message: QueuedMessage
    attempt: int

    @property
    def data(self) -> bytes:
        """The bytes of the message."""
        return self.message.outgoing.data

    @property
    def subject(self) -> str:
        """Where it was read from."""
        return self.message.outgoing.subject

    @property
    def key(self) -> str:
        """The key it was published under."""
        return self.message.outgoing.key

    @property
    def headers(self) -> Mapping[str, str]:
        """What was published beside the bytes."""
        return self.message.headers

    async def working(self) -> None:
        """Hold the message for another AckWait."""
        self.bus.extend(self.message)

    async def ack(self) -> None:
        """End the message."""
        self.bus.settle(self.message, "an acknowledgement")

    async def nak(self, delay_seconds: float) -> None:
        """Have it given out again."""
        self.bus.settle(self.message, "a nak", again_after_seconds=delay_seconds)

    async def term(self) -> None:
        """End the message."""
        self.bus.settle(self.message, "a term")


@dataclass(slots=True)
class HostileBus:
    """Implements `libra.stage.bus.Bus`. The same seed and the same calls at the same times give the same malice."""

    seed: int = 0
    faults: BusFaults = field(default_factory=BusFaults)
    ack_wait_seconds: float = 30.0
    deduplication_seconds: float = 120.0
    capacity: int = 4096
    """Messages that wait on one subject of WORK; then it is Full."""

    down: bool = False
    """Set it, and whatever is asked of the queue is Unavailable."""

    _stored: list[QueuedMessage] = field(default_factory=list)
    _unended: dict[str, dict[int, QueuedMessage]] = field(default_factory=dict)
    _keys: dict[str, float] = field(default_factory=dict)
    _random: random.Random = field(init=False)
    _changed: defaultdict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    """By subject, set when a message came or is to be given out again."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - malice is to be repeatable

    async def publish(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        """Store the message, unless its key was stored within two minutes. Full if its subject is."""
        await asyncio.sleep(0)
        self._check("a publish")
        lost = self._happens(self.faults.lost_publishes)
        if lost and self._happens(0.5):
            raise Unavailable("a publish was lost on the way there")
        self._store(message, headers)
        if lost:
            raise Unavailable("a publish was lost on the way back")

    async def pull(self, consumer: str, limit: int) -> Sequence[HostileDelivery]:
        """Return up to `limit` messages as soon as there is one; none after two seconds without."""
        self._check("a pull")
        if self._happens(self.faults.lost_pulls):
            await asyncio.sleep(PULL_SECONDS)
            raise Unavailable("a pull was lost")
        subject = f"work.{consumer.replace('gateway-', 'gateway.', 1)}"
        until_seconds = self._now() + PULL_SECONDS
        while not (ready := self._ready(subject)):
            if self._now() >= until_seconds:
                return []
            await self._change(subject, until_seconds)
            self._check("a pull")
        if self.faults.reordering:
            self._random.shuffle(ready)
        return [self._give(message) for message in ready[:limit]]

    def messages(self, subject: str) -> list[QueuedMessage]:
        """Return everything ever stored on the subject, in order; for looking, not for changing."""
        return [message for message in self._stored if message.outgoing.subject == subject]

    def unsettled(self) -> list[QueuedMessage]:
        """Return the messages of all stages that nobody has ended yet."""
        return [
            m for subject, messages in self._unended.items() if subject.startswith("work.") for m in messages.values()
        ]

    def lose_data(self) -> None:
        """Forget everything, as a server does whose data was deleted."""
        self._stored.clear()
        self._unended.clear()
        self._keys.clear()

    def extend(self, message: QueuedMessage) -> None:
        """Take a sign of life."""
        self._check("a sign of life")
        message.due_seconds = max(message.due_seconds, self._now() + self.ack_wait_seconds)

    def settle(self, message: QueuedMessage, what: str, *, again_after_seconds: float | None = None) -> None:
        """Take the end of a delivery: for good, or to be given out again."""
        self._check(what)
        if self._happens(self.faults.lost_acknowledgements):
            if self._happens(0.5):
                raise Unavailable(f"{what} was lost")
            return
        if again_after_seconds is None:
            message.settled = True
            self._unended.get(message.outgoing.subject, {}).pop(message.seq, None)
        else:
            message.due_seconds = self._now() + again_after_seconds
            self._changed[message.outgoing.subject].set()

    def _store(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        now = self._now()
        if now - self._keys.get(message.key, float("-inf")) < self.deduplication_seconds:
            return
        waiting = self._unended.setdefault(message.subject, {})
        if message.subject.startswith("work.") and len(waiting) >= self.capacity:
            raise QueueFull(f"{message.subject} holds {len(waiting)} messages")
        self._keys[message.key] = now
        stored = QueuedMessage(len(self._stored) + 1, message, dict(headers))
        self._stored.append(stored)
        waiting[stored.seq] = stored
        self._changed[message.subject].set()

    def _ready(self, subject: str) -> list[QueuedMessage]:
        now = self._now()
        waiting = self._unended.get(subject, {}).values()
        return [m for m in waiting if m.due_seconds <= now or self._happens(self.faults.duplicates)]

    def _give(self, message: QueuedMessage) -> HostileDelivery:
        message.attempts += 1
        message.due_seconds = self._now() + self.ack_wait_seconds
        return HostileDelivery(self, message, message.attempts)

    async def _change(self, subject: str, until_seconds: float) -> None:
        """Wait until a message may have come, or come due."""
        due = [m.due_seconds for m in self._unended.get(subject, {}).values()]
        changed = self._changed[subject]
        changed.clear()
        try:
            async with asyncio.timeout_at(min([until_seconds, *due])):
                await changed.wait()
        except TimeoutError:
            pass

    def _check(self, what: str) -> None:
        if self.down:
            raise Unavailable(f"{what} cannot be taken: the queue is down")

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
