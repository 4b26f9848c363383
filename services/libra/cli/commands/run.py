"""`libra run`: create runs, follow them, look at them, call them off."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import IO, Any

import click
from ulid import ULID

from libra.cli.client import Client, speaks
from libra.cli.errors import in_words
from libra.cli.files.run_file import parse
from libra.cli.files.run_spec import asked
from libra.cli.param_types import INT32, INT64
from libra.cli.render import output
from libra.cli.render.eta import failures, settled
from libra.cli.render.progress import reporter, watch
from libra.cli.render.sanitize import one_line, word
from libra.cli.run_lookup import ID_WORDS, RUN_HELP, find, how_it_ended, print_run
from libra.v1.run_pb2 import CancelRunRequest, CreateRunRequest, CreateRunResponse, ListRunsRequest, Run, RunState
from libra.v1.run_pb2_grpc import RunServiceStub

NOT_ALL_ANSWERED = 1
INTERRUPTED = 130
MODELS_CHARACTERS = 40


@click.group()
def run() -> None:
    """Runs: evaluations of models, from request to verdicts."""


def watched(command: Callable[..., Any]) -> Callable[..., Any]:
    """Have Ctrl-C end the command and not the run, and say how to come back."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt:
            run_id = click.get_current_context().meta.get("libra.run")
            if run_id is None:
                raise
            output.note(f"\nthe run goes on: `libra run watch {run_id}` comes back to it, `libra run cancel` ends it")
            sys.exit(INTERRUPTED)

    return guarded


@run.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--name", help="A label for people.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="A registered model; repeat it for more.")
@click.option(
    "--task", "tasks", multiple=True, metavar="NAME", help="A task, name@version, a category, or '*' for all."
)
@click.option("--attack", "attacks", multiple=True, metavar="NAME", help="An attack; none is the plain prompt.")
@click.option(
    "--samples", "samples_per_task", type=INT32, help="Samples of each task, chosen by the seed.  [default: all]"
)
@click.option("--epochs", type=INT32, help="Repeats of each sample.  [default: 1]")
@click.option("--seed", type=INT64, help="Chooses samples and seeds attacks.  [default: 0]")
@click.option("--temperature", type=float, help="0 for the most likely answer.  [default: the endpoint's]")
@click.option("--top-p", type=float, help="Nucleus sampling, above 0 and at most 1.  [default: the endpoint's]")
@click.option("--max-tokens", type=INT32, help="Tokens in an answer, at most.  [default: 512]")
@click.option("--judge-model", metavar="NAME", help="The registered model that judges where a judge asks one.")
@click.option("--attack-model", metavar="NAME", help="The registered model that writes for attacks which ask one.")
@click.option("--judge", "judges", multiple=True, metavar="TASK=JUDGE", help="Another judge for a task.")
@click.option("--fresh", is_flag=True, default=None, help="Ask for every answer anew; take none from earlier runs.")
@click.option("--watch", "follow", is_flag=True, help="Follow the run to its end; the exit code tells how it went.")
@output.json_option
@watched
@speaks
async def create(client: Client, /, file: IO[bytes] | None, *, follow: bool, as_json: bool, **given: Any) -> None:
    """Start a run, from a run file, from options, or from a file with options that replace some of it.

    \b
    libra run create run.yaml --watch
    libra run create --model mine --model careful --task '*' --attack none --attack few_shots --watch

    examples/demo.yaml names every key of a run file. An attack is put to risky tasks; the others run plain, and a warning
    says so.

    With --watch, exits 0 if every trial was answered and judged, 1 if some were not or the run was cancelled. Ctrl-C leaves
    the run going. A spec that cannot be run creates nothing and exits 2.
    """  # noqa: D301 - click reads the \b
    wish = asked(parse(file.read(), file.name) if file else None, given)
    with in_words(wish.word):
        request = CreateRunRequest(spec=wish.spec, request_id=str(ULID()))
        answer = await client.call(RunServiceStub, "CreateRun", request)
    await started(client, answer, follow=follow, as_json=as_json)


@run.command("watch")
@click.argument("run_id", metavar="RUN")
@output.json_option
@watched
@speaks
async def watch_run(client: Client, run_id: str, *, as_json: bool) -> None:
    """Follow a run to its end.

    Exits 0 if every trial was answered and judged, 1 if some were not or the run was cancelled. Ctrl-C leaves the run going.
    """
    await follow_run(client, await find(client, run_id), as_json=as_json)


@run.command("list")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most this many.")
@output.json_option
@speaks
async def list_runs(client: Client, limit: int, *, as_json: bool) -> None:
    """List runs, the newest first."""
    request = ListRunsRequest(page_size=min(limit, 500))
    answer = await client.pages(RunServiceStub, "ListRuns", request, "runs", limit=limit)
    if as_json:
        return output.emit_json(answer)
    table = output.columns(
        "run", "state", "trials", "failed", "models", right=("trials", "failed"), whole=("run", "state")
    )
    for each in answer.runs:
        trials = f"{settled(each):,}/{each.trials:,}"
        about = f"{each.spec.name}: " if each.spec.name else ""
        models = one_line(about + ", ".join(each.spec.models), MODELS_CHARACTERS)
        output.add(table, each.id, word(RunState, each.state, "RUN_STATE_"), trials, failures(each), models)
    return output.show(table, empty="no run yet: `libra run create` starts one")


@run.command(help=f"Show what a run was asked for, and how far it has come.\n\n{RUN_HELP}")
@click.argument("run_id", metavar="RUN")
@output.json_option
@speaks
async def show(client: Client, run_id: str, *, as_json: bool) -> None:
    """Show one run."""
    found = await find(client, run_id)
    if as_json:
        output.emit_json(found)
    else:
        print_run(found)


@run.command()
@click.argument("run_id", metavar="RUN")
@output.json_option
@speaks
async def cancel(client: Client, run_id: str, *, as_json: bool) -> None:
    """Call a run off.

    What has been answered stays and counts on no board. A run that has ended is left as it is.
    """
    found = await find(client, run_id)
    with in_words(lambda field: ID_WORDS.get(field, field)):
        answer = await client.call(RunServiceStub, "CancelRun", CancelRunRequest(id=found.id))
    if as_json:
        output.emit_json(answer)
    else:
        click.echo(how_it_ended(answer.run))


async def started(client: Client, answer: CreateRunResponse, *, follow: bool, as_json: bool) -> None:
    """Say what a run leaves out, and follow it to its end or say how that is done."""
    for warning in answer.warnings:
        output.note(f"note: {warning}")
    if follow:
        return await follow_run(client, answer.run, as_json=as_json)
    if as_json:
        return output.emit_json(answer)
    return click.echo(
        f"run {answer.run.id}: {answer.run.trials:,} trials. `libra run watch {answer.run.id}` follows it to its end."
    )


async def follow_run(client: Client, started: Run, *, as_json: bool) -> None:
    """Watch the run to its end, say how it ended, and exit 1 unless every trial was answered and judged."""
    click.get_current_context().meta["libra.run"] = started.id
    output.note(f"run {started.id}")
    with reporter() as shown:
        ended = await watch(client, started, shown)
    if as_json:
        output.emit_json(ended)
    else:
        click.echo(how_it_ended(ended))
    if failures(ended) or ended.state != RunState.RUN_STATE_FINISHED:
        sys.exit(NOT_ALL_ANSWERED)
