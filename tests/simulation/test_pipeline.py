"""Conservation laws hold in simulated histories of the whole pipeline, each drawn from its seed.

`make test` simulates 200 histories, and `make chaos` a thousand.

Two processes of each service, wired as their `__main__` does it, run in virtual time on a hostile queue and a hostile
store. Acknowledgements and publishes are lost before or after they take effect; messages are delivered twice and in any
order; requests to the store fail with an unknown outcome; servers are down or lose their data; processes are killed at
any of their calls, stopped or suspended; the provider fails, is slow, filters, and does not respond. In three of ten
histories the run is then rejudged under the same faults, and in three of ten an attack asks a model. `fault_plan` lists
the faults of a history.

`conservation_laws` checks the end: the run has finished; every trial has exactly one verdict, that of the stored
completion; the audit finds nothing; no answered request was repeated, except by a process that could not know the
answer; no model's limit was exceeded; no valid batch was dead-lettered or marked FAILED; no stage, run scheduler or
worker met a bug; and replaying recorded batches at any stage changes nothing.

A seed whose history violates a law is printed and added to `seeds.txt`; the seeds in it are tested first. To repeat one
history:

    LIBRA_SIMULATION_SEED=123 pytest tests/simulation/test_pipeline.py -k one_seed
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

import libra.stage

from . import conservation_laws
from .pipeline_simulation import REJUDGE_RUN, PipelineSimulation

SEEDS = int(os.environ.get("LIBRA_SIMULATION_HISTORIES") or 200)  # noqa: TID251 - no setting of a service
BLOCKS = 20
SEEDS_FILE = Path(__file__).with_name("seeds.txt")
SOURCE = "".join(path.read_text() for path in Path(libra.stage.__path__[0]).parent.rglob("*.py"))
REQUESTED_SEED = os.environ.get("LIBRA_SIMULATION_SEED", "")  # noqa: TID251 - no setting of a service


def read_seeds() -> list[int]:
    lines = [line.partition("#")[0].strip() for line in SEEDS_FILE.read_text().splitlines()]
    return [int(line) for line in lines if line]


def keep_seed(seed: int) -> None:
    if seed not in read_seeds():
        with SEEDS_FILE.open("a") as file:
            file.write(f"{seed}\n")


def run_and_check(seed: int) -> None:
    """Simulate one history; fail with all violations of the laws."""
    simulation = PipelineSimulation.run_seed(seed)
    violations = conservation_laws.find_violations(simulation)
    assert not violations, f"{simulation.plan}:\n" + "\n".join(violations)


def fails(seed: int) -> bool:
    """Tell whether a law is violated, or the history does not end within its virtual time."""
    try:
        run_and_check(seed)
    except (AssertionError, TimeoutError):
        return True
    return False


def check_seed(seed: int) -> None:
    """Simulate one history; keep its seed if it fails twice.

    A timeout of pytest, which a busy machine can cause, interrupts a simulated process and may look like a violation.
    The second run tells them apart: a history depends on its seed alone.
    """
    try:
        run_and_check(seed)
    except BaseException as error:
        error.add_note(f"this is the history of seed {seed}")
        if isinstance(error, AssertionError | TimeoutError) and fails(seed):
            keep_seed(seed)
        raise


@pytest.mark.parametrize("seed", [int(REQUESTED_SEED)] if REQUESTED_SEED else read_seeds())
def test_one_seed_that_failed_before(seed: int) -> None:
    check_seed(seed)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_laws_hold_in_every_history(block: int) -> None:
    for seed in range(block, SEEDS, BLOCKS):
        check_seed(seed)


def test_the_same_seed_gives_the_same_history() -> None:
    def history(seed: int) -> object:
        simulation = PipelineSimulation.run_seed(seed)
        requests = [
            (request.completion, request.process.name, request.started_seconds)
            for request in simulation.provider.requests
        ]
        return list(simulation.nats_server.published), requests, list(simulation.server.verdicts), simulation.seconds

    assert history(4) == history(4)


EXPECTED_EVENTS = {
    "a batch waits",
    "a run waits",
    "a delivery was not acknowledged; the queue will redeliver it",
    "sent trials had no verdict",
}


def test_histories_are_hostile() -> None:
    """The planned faults do occur; otherwise the other tests would prove little."""
    simulations = [PipelineSimulation.run_seed(seed) for seed in range(20)]
    assert {entry["event"] for simulation in simulations for entry in simulation.logs} >= EXPECTED_EVENTS
    assert sum(process.dead for simulation in simulations for process in simulation.processes) > len(simulations)
    redelivered = (m.attempts > 1 for simulation in simulations for m in simulation.queue.messages("work.judge"))
    assert any(redelivered)
    repeats = sum((conservation_laws.count_repeats(simulation) for simulation in simulations), start=Counter())
    assert repeats["in flight when its process ended"]
    assert any(REJUDGE_RUN in simulation.server.runs for simulation in simulations)
    verdicts = [verdict for simulation in simulations for verdict in simulation.server.verdicts.values()]
    assert len({verdict["outcome"] for verdict in verdicts}) == 3  # all but UNJUDGED: this judge can judge every text
    forms = {dict(verdict.get("fields", ())).get("attack_form") for verdict in verdicts}
    assert forms == {None, "model", "rules"}


@pytest.mark.parametrize("event", sorted(EXPECTED_EVENTS | conservation_laws.EVENTS))
def test_the_laws_look_for_events_that_the_services_log(event: str) -> None:
    """A law that looks for the former text of a log line would hold always."""
    assert f'"{event}"' in SOURCE
