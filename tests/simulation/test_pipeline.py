"""A thousand histories of the whole pipeline, each from its seed: whatever is lost, repeated, slow or killed, the laws hold.

Two processes of each service run as their own `__main__` wires them, in virtual time, on a hostile queue and a hostile store:
acknowledgements and publishes are lost before or after they took effect, messages come twice and in any order, requests to the
store fail with an unknown outcome, whole servers go away or lose their data, processes are killed at any of their calls, told
to stop or frozen, and the provider fails, dawdles, filters and is silent. In three of ten histories the run's answers are then
judged again, under the same troubles, and in three of ten an attack asks a model. See `plan` for what may befall a history.

At its end (`laws`): the run has finished, every trial has exactly one verdict, the one on the answer that is kept; the audit
finds nothing; no answered question was asked again, save by whoever could not know; nothing sound was set aside or given up; no
stage, conductor or worker met a bug; and replaying recorded batches, at any stage, changes nothing.

A seed that fails is printed and kept in `seeds.txt`, whose seeds are played before all others. One history is played again by

    LIBRA_SIMULATION_SEED=123 pytest tests/simulation/test_pipeline.py -k one_seed
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from . import conservation_laws
from .pipeline_simulation import REJUDGING, World

SEEDS = 1000
BLOCKS = 20
KEPT = Path(__file__).with_name("seeds.txt")
ASKED = os.environ.get("LIBRA_SIMULATION_SEED", "")  # noqa: TID251 - no setting of a service


def kept() -> list[int]:
    lines = [line.partition("#")[0].strip() for line in KEPT.read_text().splitlines()]
    return [int(line) for line in lines if line]


def keep(seed: int) -> None:
    if seed not in kept():
        with KEPT.open("a") as file:
            file.write(f"{seed}\n")


def play(seed: int) -> World:
    """Play one history, and say everything that is wrong with it."""
    try:
        world = World.lived(seed)
        broken = conservation_laws.broken(world)
    except BaseException as error:
        keep(seed)
        error.add_note(f"this is the history of seed {seed}")
        raise
    if broken:
        keep(seed)
        pytest.fail(f"seed {seed}, {world.plan}:\n" + "\n".join(broken))
    return world


@pytest.mark.parametrize("seed", [int(ASKED)] if ASKED else kept())
def test_one_seed_that_failed_before(seed: int) -> None:
    play(seed)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_laws_hold_whatever_happens(block: int) -> None:
    for seed in range(block, SEEDS, BLOCKS):
        play(seed)


def test_the_same_seed_gives_the_same_history() -> None:
    def told(seed: int) -> object:
        world = World.lived(seed)
        asked = [(asking.name, asking.process.name, asking.started) for asking in world.oracle.askings]
        return list(world.exchange.published), asked, list(world.server.verdicts), world.seconds

    assert told(4) == told(4)


def test_histories_are_hostile() -> None:
    """What is to befall the pipeline does befall it, or the other tests would prove little."""
    worlds = [World.lived(seed) for seed in range(20)]
    said = {entry["event"] for world in worlds for entry in world.logs}
    assert {
        "a batch waits",
        "a run waits",
        "a delivery was not acknowledged; the queue will redeliver it",
        "sent trials had no verdict",
    } <= said
    assert sum(process.dead for world in worlds for process in world.processes) > len(worlds)
    assert sum(message.attempts > 1 for world in worlds for message in world.queue.messages("work.judge"))
    assert sum(
        (conservation_laws.paid_twice(world) for world in worlds), start=conservation_laws.paid_twice(worlds[0])
    )["in flight at an end"]
    assert any(REJUDGING in world.server.runs for world in worlds)
    verdicts = [verdict for world in worlds for verdict in world.server.verdicts.values()]
    assert len({verdict["outcome"] for verdict in verdicts}) == 3  # each but UNJUDGED: the judge here can always tell
    forms = {dict(verdict.get("fields", ())).get("attack_form") for verdict in verdicts}
    assert forms == {None, "model", "rules"}
