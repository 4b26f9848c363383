"""The pipeline and the bare client against one provider, in turns. Only the ratio of their rates is meaningful."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from . import process_usage
from .child_processes import BareClientRun, StandinProcess, run_bare_client, standin_provider
from .pipeline import REFUSAL, Pipeline, PipelineRun
from .standin_provider import SLOT_SECONDS

WARM_UP = 1_000
IN_FLIGHT = 500
SLOTS_PER_SECOND = round(1 / SLOT_SECONDS)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs in the order bare client, pipeline, bare client, pipeline, ..., bare client."""

    bare: Sequence[BareClientRun]
    pipeline: Sequence[PipelineRun]
    provider_cpu_seconds: Sequence[float]
    """CPU time of the provider in each run of the pipeline."""

    in_flight: Sequence[Mapping[str, float]]
    """Requests in flight at the provider in each run of the pipeline: see `steady_state`."""

    bare_in_flight: Sequence[Mapping[str, float]]
    """The same for the bare client."""

    @property
    def ratio(self) -> float:
        """Median rate of the pipeline divided by that of the bare client."""
        return median(run.rate for run in self.pipeline) / median(run.rate for run in self.bare)

    def cpu_milliseconds(self) -> dict[str, float]:
        """Return the CPU time of each process per trial: the median of the rounds."""
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
) -> Comparison:
    with standin_provider(latency_seconds) as standin:
        model = f"mock-{latency_seconds:g}-{judge}"
        await pipeline.add_model(model, standin.url, IN_FLIGHT)
        await pipeline.add_task(f"warm-up-{model}", WARM_UP)
        await pipeline.add_task(f"task-{model}", trials)
        await pipeline.measure_run(model, f"warm-up-{model}", judge=judge)
        bare, runs, cpu_seconds, in_flight = [await _run_bare_client(standin, trials)], [], [], []
        bare_in_flight = [steady_state(standin.report())]
        for _ in range(rounds):
            standin.reset()
            before = process_usage.cpu_seconds({"": standin.pid})[""]
            runs.append(await pipeline.measure_run(model, f"task-{model}", judge=judge))
            cpu_seconds.append(process_usage.cpu_seconds({"": standin.pid})[""] - before)
            in_flight.append(steady_state(standin.report()))
            bare.append(await _run_bare_client(standin, trials))
            bare_in_flight.append(steady_state(standin.report()))
        return Comparison(bare, runs, cpu_seconds, in_flight, bare_in_flight)


async def _run_bare_client(standin: StandinProcess, requests: int) -> BareClientRun:
    standin.reset()
    return await run_bare_client(standin.url, IN_FLIGHT, requests)


def steady_state(report: Mapping[str, Any]) -> dict[str, float]:
    """Return the requests in flight from when the limit was first reached until it was last reached.

    `mean`: the mean. `min_second`: the minimum of the means of a second. `min` and `max`: of the means of a tenth of a
    second. All are 0 if the limit was not reached.
    """
    if report["repeated"]:
        raise AssertionError(f"{report['repeated']} requests were repeated")
    full = [index for index, (_, _, maximum) in enumerate(report["slots"]) if maximum >= IN_FLIGHT]
    means = [mean for mean, _, _ in report["slots"][full[0] + 1 : full[-1]]] if full else []
    if not means:
        return {"mean": 0.0, "min_second": 0.0, "min": 0.0, "max": 0.0}
    starts = range(0, len(means) - SLOTS_PER_SECOND + 1, SLOTS_PER_SECOND)
    seconds = [sum(means[start : start + SLOTS_PER_SECOND]) / SLOTS_PER_SECOND for start in starts]
    return {
        "mean": sum(means) / len(means),
        "min_second": min(seconds, default=0.0),
        "min": min(means),
        "max": max(means),
    }
