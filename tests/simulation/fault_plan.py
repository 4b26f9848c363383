"""The faults of one simulated history, all drawn from its seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from libra.testing.hostile_bus import BusFaults
from libra.testing.memory import StoreFaults

SCENARIOS = ("kills", "queue", "store", "losses", "everything")
"""The emphasis of a history, by its seed modulo 5: faults of the queue, faults of the store, or outages of servers."""

TimeSpan = tuple[float, float]
"""(begin, length) in seconds."""


@dataclass(frozen=True)
class FaultPlan:
    """The faults of one history."""

    seed: int
    scenario: str
    bus_faults: BusFaults
    store_faults: StoreFaults
    window_trials: int
    restarts: int
    """Number of processes of each replica that end before one stays: killed at a call, killed at a time, or stopped."""

    max_calls: int
    """Maximum number of calls of a process that is killed at a call."""

    store_outages: tuple[TimeSpan, ...] = ()
    queue_outages: tuple[TimeSpan, ...] = ()
    data_losses: tuple[float, ...] = ()
    suspensions: tuple[TimeSpan, ...] = ()
    replays: int = 0
    """Number of messages that are sent again during the run, under a new key."""

    cancelled_after: float | None = None
    """Time in seconds at which the second run is cancelled; None if there is no second run."""

    fresh: bool = False
    unknown_judge: bool = False
    """One task has a judge that does not exist."""

    lost_signals: float = 0.0
    same_bucket: bool = False
    rejudged: bool = False
    """The first run is rejudged once it has finished."""

    budget_requests: int = 0
    """The budget of the first run; it is resumed with as much again whenever it has used it up. 0: it has none."""

    model_attack: bool = False
    """One attack asks a model to write its prompts; its requests are the same for both models of a run."""

    @property
    def repeats_need_a_kill(self) -> bool:
        """Two replicas never have the same request in flight, so that only the end of a process can cause a repeat."""
        shared = self.model_attack or (self.cancelled_after is not None and not self.fresh)
        repeated = (
            self.bus_faults.duplicates or self.queue_outages or self.data_losses or self.suspensions or self.replays
        )
        return not (shared or repeated)

    @classmethod
    def from_seed(cls, seed: int) -> FaultPlan:
        return _PlanGenerator(seed).plan()


@dataclass
class _PlanGenerator:
    seed: int
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"plan {self.seed}")

    def plan(self) -> FaultPlan:
        scenario, rng = SCENARIOS[self.seed % len(SCENARIOS)], self.rng
        everything = scenario == "everything"
        return FaultPlan(
            seed=self.seed,
            scenario=scenario,
            bus_faults=self._bus_faults(scenario),
            store_faults=self._store_faults(scenario),
            window_trials=rng.choice([64, 68, 80, 200]),
            restarts=rng.choice([1, 2, 3]) if scenario in {"kills", "everything"} else rng.choice([0, 0, 1]),
            max_calls=rng.choice([10, 40, 150]),
            store_outages=self._spans(60) if scenario == "store" or everything else (),
            queue_outages=self._spans(40) if scenario == "losses" or everything else (),
            data_losses=(rng.uniform(0, 20),) if scenario == "losses" else (),
            suspensions=self._spans(60) if everything else (),
            replays=rng.choice([0, 10, 30]) if scenario == "queue" or everything else 0,
            cancelled_after=rng.uniform(0, 20) if rng.random() < 0.3 else None,
            fresh=rng.random() < 0.5,
            unknown_judge=rng.random() < 0.05,
            lost_signals=rng.choice([0.0, 0.5, 1.0]),
            same_bucket=rng.random() < 0.5,
            rejudged=rng.random() < 0.3,
            model_attack=rng.random() < 0.3,
            budget_requests=rng.choice([30, 60, 100]) if rng.random() < 0.3 else 0,
        )

    def _bus_faults(self, scenario: str) -> BusFaults:
        rng, hostile = self.rng, scenario in {"queue", "everything"}
        return BusFaults(
            lost_acknowledgements=rng.choice([0.0, 0.05, 0.15]),
            lost_publishes=rng.choice([0.0, 0.05, 0.2]),
            lost_pulls=rng.choice([0.0, 0.05]),
            duplicates=rng.choice([0.0, 0.01, 0.03]) if hostile else 0.0,
            reordering=rng.random() < 0.7,
        )

    def _store_faults(self, scenario: str) -> StoreFaults:
        rng, heavy = self.rng, scenario in {"store", "everything"}
        return StoreFaults(
            lost_requests=rng.choice([0.0, 0.05, 0.15]) if heavy else 0.01,
            lost_responses=rng.choice([0.0, 0.05, 0.15]) if heavy else 0.01,
            slow_requests=rng.choice([0.0, 0.02]) if heavy else 0.0,
        )

    def _spans(self, max_seconds: float) -> tuple[TimeSpan, ...]:
        return tuple(
            (self.rng.uniform(0, 30), self.rng.uniform(0, max_seconds)) for _ in range(self.rng.choice([0, 1, 2]))
        )
