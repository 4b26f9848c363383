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
from libra.cli.render import output
from libra.cli.spec_options import spec_options
from libra.v1.run_pb2 import CreateRunRequest
from libra.v1.run_pb2_grpc import RunServiceStub


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@spec_options
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

    A run with a budget stops when it is used up; `libra run estimate` says before what a run will cost.

    With --watch, the exit code is 0 if every trial was answered and judged, and 1 if some were not or the run was
    cancelled or used up its budget. Ctrl-C ends the command; the run continues. An invalid spec starts no run, and the
    exit code is 2.
    """  # noqa: D301 - click reads the \b
    combined = combine(parse(file.read(), file.name) if file else None, options)
    with field_names(combined.user_name_of):
        request = CreateRunRequest(spec=combined.spec, request_id=str(ULID()))
        reply = await client.call(RunServiceStub, "CreateRun", request)
    await report_created(client, reply, follow=follow, as_json=as_json)
