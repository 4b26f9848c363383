"""`libra rejudge`: score the answers of a run again, asking no model under test."""

from __future__ import annotations

import click
from ulid import ULID

from libra.cli.client import Client, speaks
from libra.cli.commands.run import started, watched
from libra.cli.errors import in_words
from libra.cli.render import output
from libra.cli.run_lookup import find_id
from libra.errors import Invalid
from libra.v1.run_pb2 import CreateRunRequest, RunSpec
from libra.v1.run_pb2_grpc import RunServiceStub

WORDS = {
    "rejudges": "RUN",
    "name": "--name",
    "tasks": "--task",
    "judges": "--judge",
    "judge_options": "--option",
    "judge_model": "--judge-model",
}
"""How the command calls the fields of a spec."""

EVERY_TASK = "*"


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option(
    "--judge",
    "judges",
    multiple=True,
    metavar="[TASK=]JUDGE",
    help="Who judges, all tasks or this one.  [default: the judge of each task's card]",
)
@click.option("--task", "tasks", multiple=True, metavar="NAME", help="Only this task, name@version or category.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="What the named judges are told.")
@click.option(
    "--judge-model", default="", metavar="NAME", help="The registered model that judges where a judge asks one."
)
@click.option("--name", default="", help="A label for people.")
@click.option("--watch", "follow", is_flag=True, help="Follow it to its end; the exit code tells how it went.")
@output.json_option
@watched
@speaks
async def rejudge(
    client: Client,
    run_id: str,
    judges: tuple[str, ...],
    tasks: tuple[str, ...],
    options: tuple[str, ...],
    judge_model: str,
    name: str,
    *,
    follow: bool,
    as_json: bool,
) -> None:
    """Judge the answers of a finished run again, and ask no model under test.

    \b
    libra rejudge last --judge harm --judge-model my-judge --watch
    libra rejudge RUN --task arithmetic --judge exact --option field=answer

    It is a run of its own: the run that is judged again stays as it is, and a board takes the newer. What a task's card tells
    its judge, another judge is told too as far as it knows the options; --option says more, or otherwise.

    With --watch, exits 0 if every trial was judged, 1 if some were not. RUN is a run's id, or `last` for the newest.
    """  # noqa: D301 - click reads the \b
    spec = RunSpec(
        rejudges=await find_id(client, run_id),
        name=name,
        tasks=tasks,
        judges={task or EVERY_TASK: judge for task, _, judge in (word.rpartition("=") for word in judges)},
        judge_options=told(options),
        judge_model=judge_model,
    )
    with in_words(word):
        answer = await client.call(RunServiceStub, "CreateRun", CreateRunRequest(spec=spec, request_id=str(ULID())))
    await started(client, answer, follow=follow, as_json=as_json)


def word(field: str) -> str:
    """Return what the user calls a field of a CreateRunRequest."""
    path = field.removeprefix("spec.")
    return WORDS.get(path.partition("[")[0], path)


def told(words: tuple[str, ...]) -> dict[str, str]:
    """Return the options that `--option NAME=VALUE` gives, by name; raise Invalid."""
    found = dict(each.partition("=")[::2] for each in words)
    for each in words:
        if not each.partition("=")[0] or "=" not in each:
            raise Invalid(f"{each!r} must be NAME=VALUE, for instance want=refused", field="--option")
    return found
