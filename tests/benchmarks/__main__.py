"""Measure Libra on this machine: `python -m tests.benchmarks [SECTION ...]`, or `make bench` for all of it.

Every figure is taken beside the bare client or beside itself, in one run on one machine: ratios travel, rates do not.
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

from . import board_latency, memory_peaks, queue_traffic
from .comparison import IN_FLIGHT, Compared, compare
from .pipeline import EXACT, REFUSAL, Pipeline
from .tables import say, table, verdict

SECTIONS = ("speed", "latency", "wire", "board", "memory")
SPEED_TARGET, LATENCY_TARGET = 0.65, 0.97
FLIGHT_TARGET = 490
BOARD_MILLISECONDS, BOARD_RATIO = 20.0, 1.2
MEMORY_MIB, MEMORY_RATIO = 250.0, 1.10


@asynccontextmanager
async def pipeline() -> AsyncIterator[tuple[Path, Pipeline]]:
    """Yield a system that was just started, and take it away again."""
    with tempfile.TemporaryDirectory(prefix="libra-bench-") as name, System.start(Path(name)) as system:
        async with Pipeline(system) as opened:
            yield Path(name), opened


async def speed(rounds: int) -> None:
    """The target is for a rule; beside it stands one that takes more time than any other, so that its price is seen."""
    for judge, target in ((EXACT, SPEED_TARGET), (REFUSAL, None)):
        async with pipeline() as (_, opened):
            compared = await compare(opened, latency_seconds=0.0, trials=10_000, rounds=rounds, judge=judge)
        _show(f"10,000 trials, no latency, {IN_FLIGHT} in flight, judged by {judge}", compared, target)
        used = compared.cpu_milliseconds()
        total = sum(value for name, value in used.items() if name != "(bare client)")
        rows = [[name, f"{value:.3f}"] for name, value in used.items()]
        table("CPU milliseconds for a trial", ["process", "ms"], [*rows, ["all but the bare client", f"{total:.3f}"]])


async def latency(rounds: int) -> None:
    async with pipeline() as (_, opened):
        compared = await compare(opened, latency_seconds=1.0, trials=10_000, rounds=min(rounds, 2))
    _show(f"10,000 trials, 1 s of latency, {IN_FLIGHT} in flight", compared, LATENCY_TARGET)
    flights = [("pipeline", each) for each in compared.flights] + [
        ("bare client", each) for each in compared.bare_flights
    ]
    rows = [[who, *(f"{run[name]:.1f}" for name in ("mean", "second", "least", "most"))] for who, run in flights]
    title = "In flight at the provider, steady part"
    table(title, ["", "mean", "least of 1 s", "least of 0.1 s", "most"], rows)
    mean = min(run["mean"] for run in compared.flights)
    say(f"  a mean of at least {FLIGHT_TARGET}: {verdict(reached=mean >= FLIGHT_TARGET)}")


def _show(title: str, compared: Compared, target: float | None) -> None:
    rows = []
    for place, bare in enumerate(compared.bare):
        rows.append(["bare client", f"{bare.rate:,.0f}", ""])
        if place < len(compared.pipeline):
            ours = compared.pipeline[place].rate
            around = (bare.rate + compared.bare[place + 1].rate) / 2
            rows.append(["pipeline", f"{ours:,.0f}", f"{ours / around:.2f}"])
    table(title, ["", "per second", "ratio"], rows)
    ratio = compared.ratio
    aim = "" if target is None else f", to reach {target}: {verdict(reached=ratio >= target)}"
    say(f"  ratio of the medians {ratio:.2f}{aim}")


async def wires(_: int) -> None:
    async with pipeline() as (_folder, opened):
        heard = await queue_traffic.traffic(opened)
    rows = [[f"to {stage}", f"{count:.4f}", f"{size:,.0f}"] for stage, (count, size) in heard.items()]
    count, size = (sum(each) for each in zip(*heard.values(), strict=True))
    table("On the queue, for a trial", ["", "messages", "bytes"], [*rows, ["all", f"{count:.4f}", f"{size:,.0f}"]])


async def boards(_: int) -> None:
    async with pipeline() as (folder, opened):
        found = await board_latency.latencies(folder, opened.system.mongo_url)
    rows = [
        [
            *(f"{verdicts:,}", f"{one.p50_milliseconds:.1f}", f"{one.p99_milliseconds:.1f}"),
            *(f"{one.per_second:.0f}", f"{one.anew_seconds:.2f}"),
        ]
        for verdicts, one in found.items()
    ]
    size = found[board_latency.MANY].response_mib
    title = f"GetBoard, {board_latency.MODELS} models x {board_latency.TASKS} tasks x {board_latency.ATTACKS} attacks, {size:.1f} MiB"
    table(title, ["verdicts", "p50 ms", "p99 ms", "per second", "anew s"], rows)
    worst = max(one.p99_milliseconds for one in found.values())
    ratio = found[board_latency.MANY].p50_milliseconds / found[board_latency.FEW].p50_milliseconds
    say(f"  p99 below {BOARD_MILLISECONDS:.0f} ms: {verdict(reached=worst < BOARD_MILLISECONDS)}")
    say(f"  ratio of the p50 {ratio:.2f}, at most {BOARD_RATIO}: {verdict(reached=ratio <= BOARD_RATIO)}")


async def memories(_: int) -> None:
    async with pipeline() as (_folder, opened):
        found = await memory_peaks.peaks(opened)
    growth = {name: found.many[name] / found.few[name] for name in found.few}
    rows = [[name, f"{found.few[name]:.0f}", f"{found.many[name]:.0f}", f"{growth[name]:.2f}"] for name in growth]
    table(
        "Peak memory in MiB", ["process", f"{memory_peaks.FEW:,} trials", f"{memory_peaks.MANY:,} more", "growth"], rows
    )
    ours = [name for name in growth if name not in SERVERS]
    most, growing = max(found.many[name] for name in ours), max(growth[name] for name in ours)
    say(f"  no service above {MEMORY_MIB:.0f} MB: {verdict(reached=most <= MEMORY_MIB)}")
    say(f"  none grows by more than 10 %: {verdict(reached=growing <= MEMORY_RATIO)}")


RUN = {"speed": speed, "latency": latency, "wire": wires, "board": boards, "memory": memories}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], help="default: all of them")
    parser.add_argument("--rounds", type=int, default=5, help="of bare client and pipeline, in turns")
    asked = parser.parse_args()
    for section in asked.sections or SECTIONS:
        await RUN[section](asked.rounds)


if __name__ == "__main__":
    asyncio.run(main())
