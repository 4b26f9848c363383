"""A run during which random processes are killed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import report
from .faulty_provider import Attempt, FaultRates
from .harness import ChaosHarness, RunResult, chaos_harness
from .process_killer import Kill, ProcessKiller, killing

MAX_STORE_SECONDS = 10.0
"""An answer is stored within milliseconds; if mongod is down, as soon as it is up again."""

MAX_BATCH_SECONDS = 60.0
"""A batch that nats-server has delivered to two gateways is handled for at most this time."""


@dataclass(frozen=True, slots=True)
class RepeatCauses:
    """Numbers of repeated answers by cause."""

    gateway: int
    """The first request was in flight, or its answer not yet stored, when a gateway was killed."""

    queue: int
    """No gateway was killed, but nats-server was, and delivered a batch to a second gateway: both sent the request."""

    unexplained: int


def attribute_repeats(repeats: list[tuple[Attempt, Attempt]], kills: list[Kill]) -> RepeatCauses:
    def killed(kind: str, since_seconds: float, until_seconds: float) -> bool:
        return any(kill.kind == kind and since_seconds <= kill.at_seconds <= until_seconds for kill in kills)

    gateway = queue = 0
    for first, second in repeats:
        stored_seconds = first.answered_at_seconds + MAX_STORE_SECONDS
        if killed("gateway", first.at_seconds, min(second.at_seconds, stored_seconds)):
            gateway += 1
        elif killed("nats-server", first.at_seconds - MAX_BATCH_SECONDS, second.at_seconds):
            queue += 1
    return RepeatCauses(gateway, queue, len(repeats) - gateway - queue)


async def run_with_random_kills(
    folder: Path,
    *,
    seed: int,
    trials: int,
    interval_seconds: float,
    timeout_seconds: float,
    variables: Mapping[str, str] | None = None,
) -> None:
    report.print_line(f"\nseed {seed}")
    async with chaos_harness(folder, seed=seed, rates=FaultRates(), variables=variables) as harness:
        began = time.monotonic()
        run = await harness.create_run(trials)
        async with killing(harness.system, seed, interval_seconds) as killer:
            ended = await harness.wait_for_end(run, timeout_seconds)
        result = await harness.inspect(ended, began)
        _report(harness, result, killer, seed)
        harness.check(result)
        repeats = attribute_repeats(harness.script.repeated_answers(), killer.kills)
        assert repeats.unexplained == 0
        assert repeats.gateway <= killer.count()["gateway"] * harness.in_flight
        assert repeats.queue <= killer.count()["nats-server"] * harness.in_flight


def _report(harness: ChaosHarness, result: RunResult, killer: ProcessKiller, seed: int) -> None:
    repeats, count = attribute_repeats(harness.script.repeated_answers(), killer.kills), killer.count()
    max_repeats = count["gateway"] * harness.in_flight
    rows = {
        **harness.report_rows(result),
        "kills": f"{sum(count.values())}: " + ", ".join(f"{number} {kind}" for kind, number in sorted(count.items())),
        "  repeated after a kill of a gateway": repeats.gateway,
        "    maximum in flight at these": f"{count['gateway']} x {harness.in_flight} = {max_repeats:,}",
        "  repeated after a kill of nats-server": repeats.queue,
        "  repeated for an unknown reason": repeats.unexplained,
    }
    report.print_table(f"Processes killed at random, seed {seed}", rows)
