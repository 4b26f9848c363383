"""What all processes share: the documents, and how requests for them fare."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from libra.errors import Unavailable
from libra.store.proto_documents import Document

T = TypeVar("T")

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
"""What the server's clock shows when that of the event loop stands at 0."""


DAWDLING = 0.25


@dataclass(frozen=True, slots=True)
class StoreFaults:
    """How often a request fares badly; each a probability. Without any it fares as well as with a real server."""

    lost_requests: float = 0.0
    """A request raises Unavailable and changes nothing."""

    lost_responses: float = 0.0
    """A request raises Unavailable although it was carried out."""

    slow_requests: float = 0.0
    """A request takes up to `slowest_seconds`."""

    max_slow_seconds: float = 20.0
    max_normal_seconds: float = 0.004


@dataclass(slots=True)
class MemoryServer:
    """The collections, by id. The same seed and the same requests at the same times give the same trouble."""

    seed: int = 0
    faults: StoreFaults = field(default_factory=StoreFaults)
    down: bool = False
    """Set it, and every request is Unavailable."""

    tasks: dict[str, Document] = field(default_factory=dict)
    samples: dict[str, list[Document]] = field(default_factory=dict)
    """By "name@version", in the order of their ordinals."""

    models: dict[str, Document] = field(default_factory=dict)
    runs: dict[str, Document] = field(default_factory=dict)
    completions: dict[str, Document] = field(default_factory=dict)
    verdicts: dict[str, Document] = field(default_factory=dict)
    cells: dict[str, Document] = field(default_factory=dict)
    """By the path of the cell and the bucket."""

    commits: int = 0
    """Transactions that have written something."""

    written: dict[str, int] = field(default_factory=dict)
    """By the id of a verdict or of a cell's bucket, the commit that wrote it last."""

    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - trouble is to be repeatable

    async def execute(self, work: Callable[[], T]) -> T:
        """Carry out one request: `work` happens at one moment, between the way there and the way back."""
        await asyncio.sleep(self._seconds())
        self._check()
        if self._happens(self.faults.lost_requests):
            raise Unavailable("a request to the store was lost on the way there")
        done = work()
        # Few answers take their time: each wait costs the simulation as much as all the rest of a request.
        await asyncio.sleep(self._seconds() if self._happens(DAWDLING) else 0)
        if self._happens(self.faults.lost_responses):
            raise Unavailable("a request to the store was carried out, and its answer lost")
        return done

    def now(self) -> datetime:
        """Return the time by the server's clock."""
        return BEGINNING + timedelta(seconds=asyncio.get_running_loop().time())

    def _seconds(self) -> float:
        most = (
            self.faults.max_slow_seconds if self._happens(self.faults.slow_requests) else self.faults.max_normal_seconds
        )
        return self._random.random() * most

    def _check(self) -> None:
        if self.down:
            raise Unavailable("the store is down")

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability
