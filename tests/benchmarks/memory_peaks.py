"""The peak memory of each process after 10 thousand trials, and after 200 thousand more."""

from __future__ import annotations

from dataclasses import dataclass

from . import process_usage
from .child_processes import standin_provider
from .pipeline import Pipeline

FEW, MANY = 10_000, 200_000
IN_FLIGHT = 500


@dataclass(frozen=True, slots=True)
class MemoryPeaks:
    """MiB by process."""

    few: dict[str, float]
    many: dict[str, float]


async def measure_peaks(pipeline: Pipeline) -> MemoryPeaks:
    """Measure a pipeline that was just started."""
    with standin_provider(0) as standin:
        await pipeline.add_model("memory", standin.url, IN_FLIGHT)
        await pipeline.add_task("memory", FEW)
        await pipeline.measure_run("memory", "memory")
        few = process_usage.peak_mib(pipeline.pids)
        await pipeline.measure_run("memory", "memory", epochs=MANY // FEW)
        return MemoryPeaks(few, process_usage.peak_mib(pipeline.pids))
