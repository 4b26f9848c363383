"""Says in words and numbers how far a run is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from libra.cli.render.format import duration, enum_name, short_duration
from libra.cli.render.models.model_health import state_word
from libra.cli.render.runs.cost_estimate import budget_text, usd_text
from libra.cli.render.runs.run_estimate import RunEstimator
from libra.core.outcome_names import OUTCOMES, total_of
from libra.v1.run_pb2 import Run, RunState

ENDED = (RunState.RUN_STATE_FINISHED, RunState.RUN_STATE_CANCELLED)
TONES = {
    RunState.RUN_STATE_FINISHED: "good",
    RunState.RUN_STATE_CANCELLED: "bad",
    RunState.RUN_STATE_PAUSED: "warn",
    RunState.RUN_STATE_BUDGET_EXHAUSTED: "warn",
}
"""Colour of each state; a running run has the colour of the site."""


@dataclass(frozen=True, slots=True)
class OutcomePart:
    """The trials with one outcome, as a part of all trials."""

    name: str
    count: int
    start_percent: float
    width_percent: float


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run with the words that a page shows."""

    run: Run
    state: str
    tone: str
    done: int
    outcomes: Sequence[OutcomePart]
    seconds: float
    """From its creation to its end, or to now."""

    @property
    def name(self) -> str:
        """The name that people gave it, or its id."""
        return self.run.spec.name or self.run.id

    @property
    def is_ended(self) -> bool:
        """Whether every trial has a verdict, or the run was cancelled."""
        return self.run.state in ENDED

    @property
    def percent_done(self) -> int:
        """The share of trials with a verdict, rounded down: 100 only once all have one."""
        return 100 * self.done // self.run.trials if self.run.trials else 0

    @property
    def duration(self) -> str:
        """Duration up to the end of the run, or up to now."""
        return duration(self.seconds)

    @property
    def budget(self) -> str:
        """Amount that was spent of its budget; empty without one."""
        return budget_text(self.run.budget) if self.run.HasField("budget") else ""


def summarize(run: Run) -> RunSummary:
    """Return the summary of a run."""
    end = run.end_time if run.HasField("end_time") else None
    end_seconds = end.ToNanoseconds() / 1e9 if end else time.time()
    return RunSummary(
        run=run,
        state=enum_name(RunState, run.state, "RUN_STATE_").replace("_", " "),
        tone=TONES.get(run.state, "going"),
        done=total_of(run.counts),
        outcomes=outcome_parts(run),
        seconds=max(0.0, end_seconds - run.create_time.ToNanoseconds() / 1e9),
    )


def outcome_parts(run: Run) -> list[OutcomePart]:
    """Return the outcomes of a run as parts of a bar that is 100 % wide."""
    parts, start = [], 0.0
    for name in OUTCOMES:
        count = getattr(run.counts, name)
        width = 100 * count / max(1, run.trials)
        parts.append(OutcomePart(name, count, round(start, 3), round(width, 3)))
        start += width
    return parts


@dataclass(frozen=True, slots=True)
class ModelRow:
    """The progress of a run with one model."""

    model: str
    role: str
    """ "tested", "judges" or "writes"."""

    state: str
    done: int
    trials: int
    failed: int
    unjudged: int
    in_flight: int
    rate: str
    left: str
    error: str
    """The last error of the model; empty without one."""


@dataclass(frozen=True, slots=True)
class RunProgress:
    """The state of a run that is watched."""

    summary: RunSummary
    models: Sequence[ModelRow]
    rate: str
    left: str
    spent: Sequence[tuple[str, str, float]]
    """Spending against each limit of the budget: its name, the amounts, and the share in percent."""


class ProgressReader:
    """Takes over each state of a run, and tells its rate and the time left."""

    def __init__(self) -> None:
        self._estimator = RunEstimator()

    def read(self, run: Run) -> RunProgress:
        """Return the progress. Rates are known from the second state on; before, the mean since the start is shown."""
        self._estimator.observe(run, time.monotonic())
        summary, estimator = summarize(run), self._estimator
        rate = estimator.per_second or summary.done / max(summary.seconds, 1.0)
        left = estimator.seconds_left
        if left is None and rate and not estimator.per_second:
            left = (run.trials - summary.done) / rate
        return RunProgress(
            summary=summary,
            models=self._rows(run),
            rate="" if summary.is_ended else f"{rate:.1f} trials/s",
            left="" if summary.is_ended else "unknown" if left is None else duration(left),
            spent=budget_shares(run),
        )

    def _rows(self, run: Run) -> list[ModelRow]:
        estimates = {each.progress.model: each for each in self._estimator.models}
        rows = []
        for progress in run.models:
            estimate = estimates.get(progress.model)
            is_running = estimate is not None and not estimate.is_done
            left = estimate.seconds_left if estimate and is_running else None
            role = "tested" if estimate else "writes" if progress.model == run.spec.attack_model else "judges"
            rows.append(
                ModelRow(
                    model=progress.model,
                    role=role,
                    state=state_word(progress.health),
                    done=total_of(progress.counts),
                    trials=estimate.trials if estimate else 0,
                    failed=progress.counts.failed,
                    unjudged=progress.counts.unjudged,
                    in_flight=progress.health.in_flight,
                    rate=f"{estimate.per_second:.1f}/s" if estimate and estimate.per_second and is_running else "",
                    left=short_duration(left) if left else "",
                    error=progress.health.error if progress.health.errors else "",
                )
            )
        return rows


def budget_shares(run: Run) -> list[tuple[str, str, float]]:
    """Return what was spent of each limit of a run's budget."""
    shares, limits = [], {field.name: limit for field, limit in run.budget.limit.ListFields()}
    for name, title in (("usd", "dollars"), ("tokens", "tokens"), ("requests", "requests")):
        limit, spent = limits.get(name), getattr(run.budget.settled, name)
        if limit is None:
            continue
        text = f"{usd_text(spent)} of {usd_text(limit)}" if name == "usd" else f"{spent:,} of {limit:,}"
        shares.append((title, text, round(min(100.0, 100 * spent / limit), 1) if limit else 0.0))
    return shares
