"""Measure Libra on this machine: `python -m tests.benchmarks [SECTION ...]`, or `make bench` for all of it.

Compare ratios, not rates: both sides of a ratio are measured in one run on one machine.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from libra.local.system import System
from libra.local.topology import SERVERS

from . import arena_ratings, board_latency, memory_peaks, queue_traffic
from .comparison import IN_FLIGHT, Comparison, compare
from .pipeline import EXACT, REFUSAL, Pipeline
from .tables import print_line, print_table, print_target
from .verdict_load import PER_SECOND

SPEED_TARGET, LATENCY_TARGET = 0.65, 0.97
IN_FLIGHT_TARGET = 490
BOARD_MILLISECONDS, BOARD_RATIO = 20.0, 1.2
MEMORY_MIB, MEMORY_RATIO = 250.0, 1.10
RATING_SECONDS, ERROR_SECONDS = 0.1, 1.0
MIN_COVERAGE, MAX_COVERAGE = 0.93, 0.97
MAX_FLAGGED = 0.001


@asynccontextmanager
async def started_pipeline() -> AsyncIterator[tuple[Path, Pipeline]]:
    """Start a new system in a temporary folder; stop and delete it at the end."""
    with tempfile.TemporaryDirectory(prefix="libra-bench-") as name, System.start(Path(name)) as system:
        async with Pipeline(system) as pipeline:
            yield Path(name), pipeline


async def measure_speed(rounds: int) -> None:
    """Measure with two rule judges: the target holds for `exact`; `refusal` shows the cost of the slowest rule."""
    for judge, target in ((EXACT, SPEED_TARGET), (REFUSAL, None)):
        async with started_pipeline() as (_, pipeline):
            comparison = await compare(pipeline, latency_seconds=0.0, trials=10_000, rounds=rounds, judge=judge)
        _print_rates(f"10,000 trials, no latency, {IN_FLIGHT} in flight, judge {judge}", comparison, target)
        cpu = comparison.cpu_milliseconds()
        total = sum(value for name, value in cpu.items() if name != "(bare client)")
        rows = [[name, f"{value:.3f}"] for name, value in cpu.items()]
        rows.append(["total without bare client", f"{total:.3f}"])
        print_table("CPU milliseconds per trial", ["process", "ms"], rows)


async def measure_latency(rounds: int) -> None:
    async with started_pipeline() as (_, pipeline):
        comparison = await compare(pipeline, latency_seconds=1.0, trials=10_000, rounds=min(rounds, 2))
    _print_rates(f"10,000 trials, 1 s of latency, {IN_FLIGHT} in flight", comparison, LATENCY_TARGET)
    runs = [
        *(("pipeline", run) for run in comparison.in_flight),
        *(("bare client", run) for run in comparison.bare_in_flight),
    ]
    columns = ("mean", "min_second", "min", "max")
    rows = [[client, *(f"{run[column]:.1f}" for column in columns)] for client, run in runs]
    title = "Requests in flight at the provider, steady state"
    print_table(title, ["", "mean", "min of 1 s", "min of 0.1 s", "max of 0.1 s"], rows)
    mean = min(run["mean"] for run in comparison.in_flight)
    print_target(f"mean at least {IN_FLIGHT_TARGET}", met=mean >= IN_FLIGHT_TARGET)


def _print_rates(title: str, comparison: Comparison, target: float | None) -> None:
    rows = []
    for index, bare in enumerate(comparison.bare):
        rows.append(["bare client", f"{bare.rate:,.0f}", ""])
        if index < len(comparison.pipeline):
            rate = comparison.pipeline[index].rate
            neighbours = (bare.rate + comparison.bare[index + 1].rate) / 2
            rows.append(["pipeline", f"{rate:,.0f}", f"{rate / neighbours:.2f}"])
    print_table(title, ["", "per second", "ratio"], rows)
    text = f"ratio of the medians {comparison.ratio:.2f}"
    if target is None:
        print_line(f"  {text}")
    else:
        print_target(f"{text}, at least {target}", met=comparison.ratio >= target)


async def measure_queue(_: int) -> None:
    async with started_pipeline() as (_folder, pipeline):
        traffic = await queue_traffic.measure_traffic(pipeline)
    rows = [[f"to {stage}", f"{count:.4f}", f"{size:,.0f}"] for stage, (count, size) in traffic.items()]
    count, size = (sum(numbers) for numbers in zip(*traffic.values(), strict=True))
    rows.append(["total", f"{count:.4f}", f"{size:,.0f}"])
    print_table("Queue traffic per trial", ["", "messages", "bytes"], rows)


async def measure_board(_: int) -> None:
    async with started_pipeline() as (folder, pipeline):
        found = await board_latency.measure_latencies(folder, pipeline.system.mongo_url)
    rows = [
        [
            *(f"{verdicts:,}", f"{latency.p50_milliseconds:.1f}", f"{latency.p99_milliseconds:.1f}"),
            f"{latency.written_p99_milliseconds:.1f}",
            *(f"{latency.per_second:.0f}", f"{latency.first_seconds:.2f}", f"{latency.next_seconds:.2f}"),
        ]
        for verdicts, latency in found.items()
    ]
    few, many = found[board_latency.FEW], found[board_latency.MANY]
    dimensions = f"{board_latency.MODELS} models x {board_latency.TASKS} tasks x {board_latency.ATTACKS} attacks"
    title = f"GetBoard, {dimensions}, {many.response_mib:.1f} MiB"
    times = ["p50 ms", "p99 ms", "p99 while written ms"]
    print_table(title, ["verdicts", *times, "per second", "first call s", "after a run s"], rows)
    ratio = many.p50_milliseconds / few.p50_milliseconds
    slowest = max(few.p99_milliseconds, many.p99_milliseconds)
    print_target(f"p99 below {BOARD_MILLISECONDS:.0f} ms", met=slowest < BOARD_MILLISECONDS)
    slowest = max(few.written_p99_milliseconds, many.written_p99_milliseconds)
    title = f"p99 below {BOARD_MILLISECONDS:.0f} ms while {PER_SECOND:,} verdicts a second are written"
    print_target(title, met=slowest < BOARD_MILLISECONDS)
    print_target(f"ratio of the p50 {ratio:.2f}, at most {BOARD_RATIO}", met=ratio <= BOARD_RATIO)


async def measure_memory(_: int) -> None:
    async with started_pipeline() as (_folder, pipeline):
        peaks = await memory_peaks.measure_peaks(pipeline)
    growth = {name: peaks.many[name] / peaks.few[name] for name in peaks.few}
    rows = [[name, f"{peaks.few[name]:.0f}", f"{peaks.many[name]:.0f}", f"{growth[name]:.2f}"] for name in growth]
    head = ["process", f"{memory_peaks.FEW:,} trials", f"{memory_peaks.MANY:,} more", "growth"]
    print_table("Peak memory in MiB", head, rows)
    services = [name for name in growth if name not in SERVERS]
    max_peak, max_growth = max(peaks.many[name] for name in services), max(growth[name] for name in services)
    print_target(f"no service above {MEMORY_MIB:.0f} MiB", met=max_peak <= MEMORY_MIB)
    print_target("no service grows by more than 10 %", met=max_growth <= MEMORY_RATIO)


async def measure_arena(rounds: int) -> None:
    times = arena_ratings.measure_times()
    reference = arena_ratings.measure_arena_rank()
    rows = [[name, f"{1000 * seconds:,.1f}"] for name, seconds in {**times, **(reference or {})}.items()]
    title = (
        f"Arena ratings, {arena_ratings.MODELS} models, {arena_ratings.VOTES:,} votes, {arena_ratings.VOTERS:,} voters"
    )
    print_table(title, ["", "ms"], rows)
    if reference is None:
        print_line(f"  arena-rank is not installed; to compare: {arena_ratings.INSTALL}")
    print_target("a vote is in the ratings within 100 ms", met=times["fit after one more vote"] < RATING_SECONDS)
    print_target("errors within 1 s", met=times["errors clustered by voter"] < ERROR_SECONDS)
    coverage = arena_ratings.measure_coverage(2 * rounds)
    rows = [[name, f"{100 * value:.2f} %"] for name, value in vars(coverage).items()]
    print_table(
        f"Intervals that contain the truth, and honest voters flagged, {2 * rounds} simulations", ["", ""], rows
    )
    is_covered = MIN_COVERAGE <= coverage.strengths <= MAX_COVERAGE
    print_target("93 to 97 % of the intervals of strengths", met=is_covered)
    print_target("fewer than 1 in 1,000 honest voters flagged", met=coverage.flagged < MAX_FLAGGED)
    _print_stuffing([arena_ratings.measure_stuffing(models, each) for models in (10, 20, 100) for each in (100, 25)])


def _print_stuffing(found: list[arena_ratings.Stuffing]) -> None:
    rows = [
        [
            *(
                str(each.models),
                str(each.votes_each),
                f"{100 * each.caught:.0f} %",
                f"{each.median_votes:.0f}",
                str(each.honest_flagged),
            ),
            *(f"{each.before:.1f}", f"{each.after:.2f}"),
        ]
        for each in found
    ]
    title = "10,000 stuffed votes among 100,000 honest ones, and the largest move in half-widths of an interval"
    head = ["models", "votes each", "caught", "after votes", "honest flagged", "move", "with quarantine"]
    print_table(title, head, rows)
    print_target("no rating beyond its interval", met=all(each.after < 1 for each in found))


SECTIONS = {
    "speed": measure_speed,
    "latency": measure_latency,
    "wire": measure_queue,
    "board": measure_board,
    "memory": measure_memory,
    "arena": measure_arena,
}


async def main() -> None:
    sections = ", ".join(SECTIONS)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", choices=[[], *SECTIONS], help=f"{sections}; default: all"
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="rounds of bare client and pipeline, in turns; default: 5"
    )
    options = parser.parse_args()
    for section in options.sections or SECTIONS:
        await SECTIONS[section](options.rounds)


if __name__ == "__main__":
    asyncio.run(main())
