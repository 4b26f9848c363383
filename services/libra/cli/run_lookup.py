"""Find a run by what the user calls it, and print it."""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor

from libra.cli.client import Client
from libra.cli.errors import in_words
from libra.cli.render import output
from libra.cli.render.eta import failures, settled
from libra.cli.render.sanitize import duration, outcomes, word
from libra.errors import NotFound
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.run_pb2 import GetRunRequest, ListRunsRequest, Run, RunState
from libra.v1.run_pb2_grpc import RunServiceStub

LAST = "last"
RUN_HELP = "RUN is a run's id, or `last` for the newest."
ID_WORDS = {"id": "RUN", "run": "RUN"}


async def find(client: Client, run_id: str) -> Run:
    """Return the run with this id, or the newest for "last"; raise NotFound."""
    if run_id != LAST:
        with in_words(lambda field: ID_WORDS.get(field, field)):
            found: Run = (await client.call(RunServiceStub, "GetRun", GetRunRequest(id=run_id))).run
        return found
    newest = (await client.call(RunServiceStub, "ListRuns", ListRunsRequest(page_size=1))).runs
    if not newest:
        raise NotFound("there is no run yet; `libra run create` starts one", field="RUN")
    first: Run = newest[0]
    return first


async def find_id(client: Client, run_id: str) -> str:
    """Return the id that "last" stands for, any other as it is."""
    return (await find(client, run_id)).id if run_id == LAST else run_id


def print_run(run: Run) -> None:
    """Print a run, a line for each thing that is set."""
    spec, parameters = run.spec, run.spec.parameters
    output.pairs(
        [
            ("run", run.id),
            ("name", spec.name),
            ("state", word(RunState, run.state, "RUN_STATE_")),
            ("trials", f"{settled(run):,} of {run.trials:,} settled: {outcomes(run.counts)}"),
            ("created", run.create_time.ToDatetime().strftime("%Y-%m-%d %H:%M:%S UTC")),
            ("took", duration(seconds_taken(run)) if run.HasField("end_time") else ""),
            ("answers of", f"the run {spec.rejudges}, judged again" if spec.rejudges else ""),
            ("models", ", ".join(spec.models)),
            ("tasks", ", ".join(spec.tasks)),
            ("attacks", ", ".join(spec.attacks)),
            ("samples", f"{spec.samples_per_task} of each task" if spec.samples_per_task else "all"),
            ("epochs", spec.epochs),
            ("seed", spec.seed),
            ("parameters", ", ".join(f"{field.name} {value:g}" for field, value in numbers(parameters))),
            ("fresh", "every answer asked for anew" if spec.fresh else ""),
            ("judge model", spec.judge_model),
            ("attack model", spec.attack_model),
            ("judges", ", ".join(f"{judge} for {task}" for task, judge in sorted(spec.judges.items()))),
            ("told", ", ".join(f"{name}={value}" for name, value in sorted(spec.judge_options.items()))),
        ]
    )


def how_it_ended(run: Run) -> str:
    """Return how the run ended, and what to look at next."""
    state = word(RunState, run.state, "RUN_STATE_")
    took = f" in {duration(seconds_taken(run))}" if run.HasField("end_time") else ""
    story = f"run {run.id} {state}{took}: {settled(run):,} of {run.trials:,} trials, {outcomes(run.counts)}"
    if run.counts.failed:
        return f"{story}\n`libra verdicts {run.id} --outcome failed` tells why"
    if failures(run):
        return f"{story}\n`libra verdicts {run.id} --outcome unjudged` tells why"
    return story


def seconds_taken(run: Run) -> float:
    """Return the seconds from the run's creation to its end."""
    return run.end_time.ToNanoseconds() / 1e9 - run.create_time.ToNanoseconds() / 1e9


def numbers(parameters: GenerationParameters) -> list[tuple[FieldDescriptor, float]]:
    """Return the parameters that are numbers and set."""
    return [(field, value) for field, value in parameters.ListFields() if not isinstance(value, str)]
