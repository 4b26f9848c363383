"""Estimates rates and the time left of a run, model by model: the run ends with its slowest model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from libra.cli.render.eta import RateEstimator
from libra.cli.render.models.model_health import is_parked
from libra.core.outcome_names import total_of
from libra.v1.run_pb2 import ModelProgress, Run


@dataclass(frozen=True, slots=True)
class ModelEstimate:
    """The progress of one model under test."""

    progress: ModelProgress
    done: int
    """Trials that were answered or have a verdict; it never falls."""

    trials: int
    per_second: float
    seconds_left: float | None
    """None: not known, because nothing happens."""

    @property
    def is_done(self) -> bool:
        """Whether no trial is left."""
        return self.done >= self.trials

    @property
    def urgency(self) -> tuple[bool, bool, float]:
        """By which the slowest model comes first."""
        unknown = self.seconds_left is None
        return self.is_done, not (is_parked(self.progress.health) or unknown), -(self.seconds_left or 0.0)


class RunEstimator:
    """Takes over each state of a run, and estimates its models."""

    def __init__(self) -> None:
        self._rates: defaultdict[str, RateEstimator] = defaultdict(RateEstimator)
        self._done: dict[str, int] = {}
        self.models: Sequence[ModelEstimate] = ()
        """The models under test, the slowest first."""

    def observe(self, run: Run, at_seconds: float) -> None:
        """Take over the state of the run at a time of a monotonic clock."""
        tested = set(run.spec.models)
        models = [self._estimate(each, run, at_seconds) for each in run.models if each.model in tested]
        self.models = sorted(models, key=lambda each: each.urgency)

    @property
    def done(self) -> int:
        """Trials of all models that were answered or have a verdict."""
        return sum(each.done for each in self.models)

    @property
    def per_second(self) -> float:
        """Trials per second of all models."""
        return sum(each.per_second for each in self.models)

    @property
    def seconds_left(self) -> float | None:
        """The time left of the slowest model; None if that of one is not known."""
        lefts = [each.seconds_left for each in self.models if not each.is_done]
        known = [left for left in lefts if left is not None]
        return max(known) if known and len(known) == len(lefts) else None

    def _estimate(self, progress: ModelProgress, run: Run, at_seconds: float) -> ModelEstimate:
        model, rate = progress.model, self._rates[progress.model]
        trials = run.trials // max(1, len(run.spec.models))
        newest = min(trials, total_of(progress.counts) + progress.answered)
        done = self._done[model] = max(newest, self._done.get(model, 0))
        rate.observe(at_seconds, done)
        left = None if is_parked(progress.health) else rate.seconds_left(trials)
        return ModelEstimate(progress, done, trials, rate.trials_per_second(), left)
