"""The server that all processes share: the documents, and the faults of requests."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from libra.core.errors import Unavailable
from libra.store.continuous.webhooks import Event
from libra.store.documents.proto_documents import Document

T = TypeVar("T")

START_TIME = datetime(2026, 1, 1, tzinfo=UTC)
"""The time of a server's clock when the clock of the event loop is 0, unless it has another one."""

DELAYED_RESPONSES = 0.25
"""The share of responses with a delay: each delay costs the simulation as much as the rest of a request."""


@dataclass(frozen=True, slots=True)
class StoreFaults:
    """The probabilities of faults. By default there are none."""

    lost_requests: float = 0.0
    """A request raises Unavailable and changes nothing."""

    lost_responses: float = 0.0
    """A request raises Unavailable although it was carried out."""

    slow_requests: float = 0.0
    """A request takes up to `max_slow_seconds`."""

    max_slow_seconds: float = 20.0
    max_normal_seconds: float = 0.004


@dataclass(slots=True)
class MemoryServer:
    """Stores the collections by id. The same seed and the same requests at the same times give the same faults."""

    seed: int = 0
    start_time: datetime = START_TIME
    """The time of its clock when the clock of the event loop is 0."""

    faults: StoreFaults = field(default_factory=StoreFaults)
    down: bool = False
    """While it is set, every request raises Unavailable."""

    tasks: dict[str, Document] = field(default_factory=dict)
    samples: dict[str, list[Document]] = field(default_factory=dict)
    """By "name@version", in the order of their ordinals."""

    models: dict[str, Document] = field(default_factory=dict)
    adjustments: dict[str, Document] = field(default_factory=dict)
    model_health: dict[tuple[str, str], Document] = field(default_factory=dict)
    """By model and replica."""

    parked_models: dict[str, Document] = field(default_factory=dict)
    runs: dict[str, Document] = field(default_factory=dict)
    budgets: dict[str, Document] = field(default_factory=dict)
    """By run."""

    ceilings: dict[str, Document] = field(default_factory=dict)
    """By model and day."""

    schedules: dict[str, Document] = field(default_factory=dict)
    firings: dict[str, Document] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    pending_events: dict[str, Event] = field(default_factory=dict)
    """Those without deliveries."""

    webhooks: dict[str, Document] = field(default_factory=dict)
    deliveries: dict[str, Document] = field(default_factory=dict)
    completions: dict[str, Document] = field(default_factory=dict)
    verdicts: dict[str, Document] = field(default_factory=dict)
    labels: dict[str, Document] = field(default_factory=dict)
    cells: dict[str, Document] = field(default_factory=dict)
    """By the key of the cell and the bucket."""

    rounds: dict[str, Document] = field(default_factory=dict)
    round_samples: dict[str, Document] = field(default_factory=dict)
    sealed_looks: dict[str, Document] = field(default_factory=dict)

    commits: int = 0
    """The number of transactions that have written something."""

    last_commits: dict[str, int] = field(default_factory=dict)
    """By the id of a verdict or of a cell's bucket, the number of the commit that wrote it last."""

    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - faults must be repeatable

    async def execute(self, work: Callable[[], T]) -> T:
        """Carry out one request: `work` happens at one moment, after the delay of the request."""
        await asyncio.sleep(self._delay_seconds())
        if self.down:
            raise Unavailable("the store is down")
        if self._happens(self.faults.lost_requests):
            raise Unavailable("a request to the store was lost before it was carried out")
        result = work()
        await asyncio.sleep(self._delay_seconds() if self._happens(DELAYED_RESPONSES) else 0)
        if self._happens(self.faults.lost_responses):
            raise Unavailable("a request to the store was carried out, but its response was lost")
        return result

    def now(self) -> datetime:
        """Return the time of the server's clock."""
        return self.start_time + timedelta(seconds=asyncio.get_running_loop().time())

    def _delay_seconds(self) -> float:
        is_slow = self._happens(self.faults.slow_requests)
        longest = self.faults.max_slow_seconds if is_slow else self.faults.max_normal_seconds
        return self._random.random() * longest

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability
