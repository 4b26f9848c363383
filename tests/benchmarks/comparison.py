"""The pipeline beside the bare client, against one provider, in turns: what is told is told as a ratio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from . import process_usage
from .child_processes import Bare, Standin, bare_client, provider
from .pipeline import REFUSAL, Measured, Pipeline
from .standin_provider import SLOT_SECONDS

WARM_UP = 1_000
IN_FLIGHT = 500
SLOTS = round(1 / SLOT_SECONDS)


@dataclass(frozen=True, slots=True)
class Compared:
    """Rounds of both, in the order in which they were run: bare, pipeline, bare, pipeline, bare."""

    bare: Sequence[Bare]
    pipeline: Sequence[Measured]
    provider_cpu_seconds: Sequence[float]
    """Of the provider, for each run of the pipeline."""

    flights: Sequence[Mapping[str, float]]
    """What was in flight at the provider in each run of the pipeline: see `steady`."""

    bare_flights: Sequence[Mapping[str, float]]
    """The same of the bare client."""

    @property
    def ratio(self) -> float:
        return median(run.rate for run in self.pipeline) / median(run.rate for run in self.bare)

    def cpu_milliseconds(self) -> dict[str, float]:
        """Return what each process used for a trial: the median of the rounds."""
        used = {
            name: median(run.cpu_seconds[name] / run.trials for run in self.pipeline)
            for name in self.pipeline[0].cpu_seconds
        }
        trials = self.pipeline[0].trials
        used["(provider)"] = median(self.provider_cpu_seconds) / trials
        used["(bare client)"] = median(run.cpu_seconds / run.requests for run in self.bare)
        return {name: 1000 * seconds for name, seconds in used.items()}


async def compare(
    pipeline: Pipeline, *, latency_seconds: float, trials: int, rounds: int, judge: str = REFUSAL
) -> Compared:
    with provider(latency_seconds) as standin:
        name = f"mock-{latency_seconds:g}-{judge}"
        await pipeline.add_model(name, standin.url, IN_FLIGHT)
        await pipeline.add_task(f"warm-up-{name}", WARM_UP)
        await pipeline.add_task(f"task-{name}", trials)
        await pipeline.measured(name, f"warm-up-{name}", judge=judge)
        bare, runs, cpu, flights = [await _bare(standin, trials)], [], [], []
        bare_flights = [steady(standin.report())]
        for _ in range(rounds):
            standin.reset()
            before = process_usage.cpu_seconds({"": standin.pid})[""]
            runs.append(await pipeline.measured(name, f"task-{name}", judge=judge))
            cpu.append(process_usage.cpu_seconds({"": standin.pid})[""] - before)
            flights.append(steady(standin.report()))
            bare.append(await _bare(standin, trials))
            bare_flights.append(steady(standin.report()))
        return Compared(bare, runs, cpu, flights, bare_flights)


async def _bare(standin: Standin, trials: int) -> Bare:
    standin.reset()
    return await bare_client(standin.url, IN_FLIGHT, trials)


def steady(report: Mapping[str, Any]) -> dict[str, float]:
    """Return what was in flight in the steady part: from when the limit was reached until nothing was left to ask.

    `mean`, the least of the means of a second, and the least and the most of those of a tenth; 0 if there is no such part.
    """
    if report["repeated"]:
        raise AssertionError(f"{report['repeated']} questions were asked twice")
    full = [place for place, (_, _, most) in enumerate(report["slots"]) if most >= IN_FLIGHT]
    means = [mean for mean, _, _ in report["slots"][full[0] + 1 : full[-1]]] if full else []
    if not means:
        return {"mean": 0.0, "second": 0.0, "least": 0.0, "most": 0.0}
    seconds = [sum(means[place : place + SLOTS]) / SLOTS for place in range(0, len(means) - SLOTS + 1, SLOTS)]
    return {
        "mean": sum(means) / len(means),
        "second": min(seconds, default=0.0),
        "least": min(means),
        "most": max(means),
    }
