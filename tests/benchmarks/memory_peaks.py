"""The most memory that each process held: after 10 thousand trials, and after 200 thousand more."""

from __future__ import annotations

from dataclasses import dataclass

from . import process_usage
from .child_processes import provider
from .pipeline import Pipeline

FEW, MANY = 10_000, 200_000
IN_FLIGHT = 500


@dataclass(frozen=True, slots=True)
class Peaks:
    few: dict[str, float]
    many: dict[str, float]


async def peaks(pipeline: Pipeline) -> Peaks:
    """Return the peaks in MiB of a pipeline that was just started."""
    with provider(0) as standin:
        await pipeline.add_model("memory", standin.url, IN_FLIGHT)
        await pipeline.add_task("memory", FEW)
        await pipeline.measured("memory", "memory")
        few = process_usage.peak_mib(pipeline.pids)
        await pipeline.measured("memory", "memory", epochs=MANY // FEW)
        return Peaks(few, process_usage.peak_mib(pipeline.pids))
