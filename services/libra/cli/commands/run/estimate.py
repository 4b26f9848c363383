"""`libra run estimate`: what a run will cost."""

from __future__ import annotations

from typing import IO, Any

import click

from libra.cli.client import SAMPLE_QUERY_SECONDS, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.files.run_file import parse
from libra.cli.files.run_spec import combine
from libra.cli.render import output
from libra.cli.render.runs.cost_estimate import print_estimate
from libra.cli.spec_options import spec_options
from libra.v1.run_control_pb2 import EstimateRunRequest
from libra.v1.run_control_pb2_grpc import RunControlServiceStub


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@spec_options
@output.json_option
@with_client
async def estimate(client: ServiceClient, /, file: IO[bytes] | None, *, as_json: bool, **options: Any) -> None:
    """Estimate what a run will cost, and start nothing.

    \b
    libra run estimate --model mine --task '*' --samples 50

    The run file and the options are those of `libra run create`. The estimate uses the mean usage of earlier trials of
    the same model, task and attack. Without any, it uses the length of the prompts and the limit on answer tokens, and
    says so. Stored answers cost nothing, so the run may cost less.
    """  # noqa: D301 - click reads the \b
    combined = combine(parse(file.read(), file.name) if file else None, options)
    with field_names(combined.user_name_of):
        request = EstimateRunRequest(spec=combined.spec)
        reply = await client.call(RunControlServiceStub, "EstimateRun", request, timeout_seconds=SAMPLE_QUERY_SECONDS)
    if as_json:
        output.print_json(reply)
    else:
        print_estimate(reply)
