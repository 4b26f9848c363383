"""`libra rejudge`: judge the answers of a finished run again."""

from __future__ import annotations

import click
from ulid import ULID

from libra.cli.client import ServiceClient, with_client
from libra.cli.commands.run.watch import keep_run_on_interrupt, report_created
from libra.cli.errors import field_names
from libra.cli.param_types import parse_judge_options
from libra.cli.render import output
from libra.cli.run_lookup import resolve_run_id, run_argument
from libra.v1.run_pb2 import CreateRunRequest, RunSpec
from libra.v1.run_pb2_grpc import RunServiceStub

FIELD_NAMES = {
    "rejudges": "RUN",
    "name": "--name",
    "tasks": "--task",
    "judges": "--judge",
    "judge_options": "--option",
    "judge_model": "--judge-model",
}
"""The option for each field of a spec."""

EVERY_TASK = "*"


@click.command()
@run_argument
@click.option(
    "--judge",
    "judges",
    multiple=True,
    metavar="[TASK=]JUDGE",
    help="The new judge, of all tasks or of one; repeatable.  [default: the judge of each task's card]",
)
@click.option(
    "--task", "tasks", multiple=True, metavar="NAME", help="Only this task, name@version or category; repeatable."
)
@click.option(
    "--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the new judges; repeatable."
)
@click.option("--judge-model", default="", metavar="NAME", help="The registered model for judges that use one.")
@click.option("--name", default="", help="A name for the new run; it need not be unique.")
@click.option("--watch", "follow", is_flag=True, help="Follow the run to its end, and set the exit code.")
@output.json_option
@keep_run_on_interrupt
@with_client
async def rejudge(
    client: ServiceClient,
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
    """Judge the answers of a finished run again.

    \b
    libra rejudge last --judge harm --judge-model my-judge --watch
    libra rejudge RUN --task arithmetic --judge exact --option field=answer

    No model under test is called. The result is a new run; RUN does not change, and the leaderboard uses the newer
    one. A new judge gets the options on the task's card that it knows; --option adds to them or replaces them.

    With --watch, the exit code is 0 if every trial was judged, and 1 if some were not.
    """  # noqa: D301 - click reads the \b
    spec = RunSpec(
        rejudges=await resolve_run_id(client, run_id),
        name=name,
        tasks=tasks,
        judges={task or EVERY_TASK: judge for task, _, judge in (value.rpartition("=") for value in judges)},
        judge_options=parse_judge_options(options),
        judge_model=judge_model,
    )
    with field_names(user_name_of):
        reply = await client.call(RunServiceStub, "CreateRun", CreateRunRequest(spec=spec, request_id=str(ULID())))
    await report_created(client, reply, follow=follow, as_json=as_json)


def user_name_of(field: str) -> str:
    """Return what the command calls a field of a CreateRunRequest."""
    path = field.removeprefix("spec.")
    return FIELD_NAMES.get(path.partition("[")[0], path)
