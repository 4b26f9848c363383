"""A run in the middle of which random processes are killed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import process_killer, report
from .faulty_provider import Mood, Try
from .harness import Ended, World, world
from .process_killer import Kill, Monkey

AT_RISK_SECONDS = 10.0
"""An answer is written down within milliseconds; while mongod is away, when it is back."""

IN_HAND_SECONDS = 60.0
"""A batch that nats-server gave to two gateways is in their hands for so long at most."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """Answers asked for twice, by what can be said for it."""

    gateway: int
    """The first was under way, or not written down yet, when a gateway was killed."""

    queue: int
    """No gateway was, but nats-server was, and gave a batch to a second gateway: both had the question in flight."""

    unexplained: int


def explained(repeats: list[tuple[Try, Try]], kills: list[Kill]) -> Repeats:
    def killed(kind: str, since_seconds: float, until_seconds: float) -> bool:
        return any(kill.kind == kind and since_seconds <= kill.at_seconds <= until_seconds for kill in kills)

    gateway = queue = 0
    for first, second in repeats:
        if killed("gateway", first.at_seconds, min(second.at_seconds, first.until_seconds + AT_RISK_SECONDS)):
            gateway += 1
        elif killed("nats-server", first.at_seconds - IN_HAND_SECONDS, second.at_seconds):
            queue += 1
    return Repeats(gateway, queue, len(repeats) - gateway - queue)


async def kill_at_random(
    folder: Path,
    *,
    seed: int,
    trials: int,
    every_seconds: float,
    patience_seconds: float,
    variables: Mapping[str, str] | None = None,
) -> None:
    report.say(f"\nseed {seed}")
    async with world(folder, seed=seed, mood=Mood(), variables=variables) as its:
        began = time.monotonic()
        run = await its.begin(trials)
        async with process_killer.at_work(its.system, seed, every_seconds) as killer:
            last = await its.ended(run, patience_seconds)
        ended = await its.examined(last, began)
        _report(its, ended, killer, seed)
        its.check(ended)
        repeats = explained(its.script.repeats(), killer.kills)
        assert repeats.unexplained == 0
        assert repeats.gateway <= killer.count()["gateway"] * its.in_flight
        assert repeats.queue <= killer.count()["nats-server"] * its.in_flight


def _report(its: World, ended: Ended, killer: Monkey, seed: int) -> None:
    repeats, count = explained(its.script.repeats(), killer.kills), killer.count()
    rows = {
        **its.told(ended),
        "killed": f"{sum(count.values())}: " + ", ".join(f"{number} {kind}" for kind, number in sorted(count.items())),
        "  asked for twice after a kill of a gateway": repeats.gateway,
        "    in flight there at most": f"{count['gateway']} x {its.in_flight} = {count['gateway'] * its.in_flight:,}",
        "  after a kill of nats-server": repeats.queue,
        "  for no known reason": repeats.unexplained,
    }
    report.show(f"Processes killed at random, seed {seed}", rows)
