"""`libra run create`: start a run from a run file, from options, or from both."""

from __future__ import annotations

from typing import IO, Any

import click
from ulid import ULID

from libra.cli.client import ServiceClient, with_client
from libra.cli.commands.run.watch import keep_run_on_interrupt, report_created
from libra.cli.errors import field_names
from libra.cli.files.run_file import parse
from libra.cli.files.run_spec import combine
from libra.cli.param_types import INT32, INT64
from libra.cli.render import output
from libra.v1.run_pb2 import CreateRunRequest
from libra.v1.run_pb2_grpc import RunServiceStub


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--name", help="A name for the run; it need not be unique.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="A registered model; repeatable.")
@click.option(
    "--task",
    "tasks",
    multiple=True,
    metavar="NAME",
    help="A task, name@version, a category, or '*' for all; repeatable.",
)
@click.option(
    "--attack", "attacks", multiple=True, metavar="NAME", help="An attack; none is the plain prompt; repeatable."
)
@click.option(
    "--samples", "samples_per_task", type=INT32, help="Samples per task, selected by the seed.  [default: all]"
)
@click.option("--epochs", type=INT32, help="Repetitions of each sample.  [default: 1]")
@click.option("--seed", type=INT64, help="Seeds the selection of samples and the attacks.  [default: 0]")
@click.option("--temperature", type=float, help="0 gives the most likely answer.  [default: the endpoint's]")
@click.option("--top-p", type=float, help="Nucleus sampling, above 0 and at most 1.  [default: the endpoint's]")
@click.option("--max-tokens", type=INT32, help="Maximum number of tokens in an answer.  [default: 512]")
@click.option("--judge-model", metavar="NAME", help="The registered model for judges that use one.")
@click.option("--attack-model", metavar="NAME", help="The registered model for attacks that use one.")
@click.option(
    "--judge", "judges", multiple=True, metavar="TASK=JUDGE", help="A judge that replaces the task's own; repeatable."
)
@click.option("--fresh", is_flag=True, default=None, help="Request every answer anew; reuse no stored answers.")
@click.option("--watch", "follow", is_flag=True, help="Follow the run to its end, and set the exit code.")
@output.json_option
@keep_run_on_interrupt
@with_client
async def create(
    client: ServiceClient, /, file: IO[bytes] | None, *, follow: bool, as_json: bool, **options: Any
) -> None:
    """Start a run from a run file, from options, or from both.

    \b
    libra run create run.yaml --watch
    libra run create --model mine --model careful --task '*' \\
      --attack none --attack few_shots --watch

    Options replace the fields of the run file FILE. examples/demo.yaml explains every key of a run file. Attacks
    apply to risky tasks only; a note names the other tasks.

    With --watch, the exit code is 0 if every trial was answered and judged, and 1 if some were not or the run was
    cancelled. Ctrl-C ends the command; the run continues. An invalid spec starts no run, and the exit code is 2.
    """  # noqa: D301 - click reads the \b
    combined = combine(parse(file.read(), file.name) if file else None, options)
    with field_names(combined.user_name_of):
        request = CreateRunRequest(spec=combined.spec, request_id=str(ULID()))
        reply = await client.call(RunServiceStub, "CreateRun", request)
    await report_created(client, reply, follow=follow, as_json=as_json)
