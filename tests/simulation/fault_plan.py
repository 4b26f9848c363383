"""What befalls one history: all of it follows from the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from libra.testing.hostile_bus import BusFaults
from libra.testing.memory import StoreFaults

KINDS = ("kills", "queue", "store", "losses", "everything")
"""What a history is about, by its seed's last digit: the queue's malice, the store's trouble, whole servers that go away."""

Span = tuple[float, float]
"""When it begins and how long it lasts, in seconds."""


@dataclass(frozen=True)
class Plan:
    """One history."""

    seed: int
    kind: str
    malice: BusFaults
    trouble: StoreFaults
    window_trials: int
    lives: int
    """How many processes end in each place before one stays: killed at a call, killed at a time, or told to stop."""

    calls: int
    """A process that is killed at a call makes at most so many."""

    store_outages: tuple[Span, ...] = ()
    queue_outages: tuple[Span, ...] = ()
    data_losses: tuple[float, ...] = ()
    freezes: tuple[Span, ...] = ()
    replays: int = 0
    """Messages that are sent again while the run goes on, as if they were new."""

    cancelled_after: float | None = None
    """The second run is called off; without it there is none."""

    fresh: bool = False
    poisoned: bool = False
    """One task has a judge that nobody knows."""

    lost_signals: float = 0.0
    same_bucket: bool = False
    rejudged: bool = False
    """When the first run has finished, its answers are judged again."""

    written: bool = False
    """One attack asks a model to write for it; what it asks is the same for both models of a run."""

    @property
    def strict(self) -> bool:
        """Nothing has two replicas ask the same at the same time, so that only a process's end may cost an answer."""
        shared = self.written or (self.cancelled_after is not None and not self.fresh)
        doubled = self.malice.duplicates or self.queue_outages or self.data_losses or self.freezes or self.replays
        return not (shared or doubled)

    @classmethod
    def of(cls, seed: int) -> Plan:
        return _Drawing(seed).plan()


@dataclass
class _Drawing:
    seed: int
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"plan {self.seed}")

    def plan(self) -> Plan:
        kind, rng = KINDS[self.seed % len(KINDS)], self.rng
        everything = kind == "everything"
        return Plan(
            seed=self.seed,
            kind=kind,
            malice=self._malice(kind),
            trouble=self._trouble(kind),
            window_trials=rng.choice([64, 68, 80, 200]),
            lives=rng.choice([1, 2, 3]) if kind in {"kills", "everything"} else rng.choice([0, 0, 1]),
            calls=rng.choice([10, 40, 150]),
            store_outages=self._spans(60) if kind == "store" or everything else (),
            queue_outages=self._spans(40) if kind == "losses" or everything else (),
            data_losses=(rng.uniform(0, 20),) if kind == "losses" else (),
            freezes=self._spans(60) if everything else (),
            replays=rng.choice([0, 10, 30]) if kind == "queue" or everything else 0,
            cancelled_after=rng.uniform(0, 20) if rng.random() < 0.3 else None,
            fresh=rng.random() < 0.5,
            poisoned=rng.random() < 0.05,
            lost_signals=rng.choice([0.0, 0.5, 1.0]),
            same_bucket=rng.random() < 0.5,
            rejudged=rng.random() < 0.3,
            written=rng.random() < 0.3,
        )

    def _malice(self, kind: str) -> BusFaults:
        rng, hostile = self.rng, kind in {"queue", "everything"}
        return BusFaults(
            lost_acknowledgements=rng.choice([0.0, 0.05, 0.15]),
            lost_publishes=rng.choice([0.0, 0.05, 0.2]),
            lost_pulls=rng.choice([0.0, 0.05]),
            duplicates=rng.choice([0.0, 0.01, 0.03]) if hostile else 0.0,
            reordering=rng.random() < 0.7,
        )

    def _trouble(self, kind: str) -> StoreFaults:
        rng, heavy = self.rng, kind in {"store", "everything"}
        return StoreFaults(
            lost_requests=rng.choice([0.0, 0.05, 0.15]) if heavy else 0.01,
            lost_answers=rng.choice([0.0, 0.05, 0.15]) if heavy else 0.01,
            slow_requests=rng.choice([0.0, 0.02]) if heavy else 0.0,
        )

    def _spans(self, longest: float) -> tuple[Span, ...]:
        return tuple((self.rng.uniform(0, 30), self.rng.uniform(0, longest)) for _ in range(self.rng.choice([0, 1, 2])))
