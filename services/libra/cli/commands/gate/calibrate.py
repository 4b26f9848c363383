"""`libra gate calibrate`: measure how often a gate stops an unchanged model."""

from __future__ import annotations

from pathlib import Path

import click

from libra.cli.client import SAMPLE_QUERY_SECONDS, ServiceClient, with_client
from libra.cli.commands.gate.policy_argument import field_namer, policy_argument, read_policy
from libra.cli.errors import field_names
from libra.cli.param_types import INT32, INT64
from libra.cli.render import output
from libra.cli.render.gates.gate_table import alarm_sentences, alarms_table
from libra.cli.run_lookup import resolve_run_id, run_help
from libra.v1.gate_pb2 import CalibrateGateRequest, CalibrateGateResponse
from libra.v1.gate_pb2_grpc import GateServiceStub


@click.command()
@policy_argument
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="Use the verdicts of this model; repeatable.  [default: all]",
)
@click.option("--run", "runs", multiple=True, metavar="RUN", help="Only this finished run; repeatable.")
@click.option(
    "--repetitions",
    type=INT32,
    default=0,
    help="The number of A/A comparisons.  [default: 1,000; fewer for many tasks]",
)
@click.option("--seed", type=INT64, default=0, show_default=True, help="Seeds the resampling.")
@run_help
@output.json_option
@with_client
async def calibrate(
    client: ServiceClient,
    /,
    policy: Path,
    baseline: str | None,
    baseline_runs: tuple[str, ...],
    models: tuple[str, ...],
    runs: tuple[str, ...],
    repetitions: int,
    seed: int,
    *,
    as_json: bool,
) -> None:
    """Measure how often a gate stops an unchanged model.

    Each A/A comparison draws both sides from stored verdicts, so that nothing has changed between them, and checks the
    policy. A NO-GO is then a false alarm. With a baseline, the two keep the similarity of the model and the baseline.
    Rules that the stored scores themselves break are left out.
    """
    file = read_policy(policy, baseline, [await resolve_run_id(client, run) for run in baseline_runs])
    request = CalibrateGateRequest(
        policy=file.policy,
        models=models,
        runs=[await resolve_run_id(client, run) for run in runs],
        repetitions=repetitions,
        seed=seed,
    )
    with field_names(field_namer(file, has_options=bool(baseline or baseline_runs))):
        reply: CalibrateGateResponse = await client.call(
            GateServiceStub, "CalibrateGate", request, timeout_seconds=SAMPLE_QUERY_SECONDS
        )
    if as_json:
        return output.print_json(reply)
    output.print_table(alarms_table(reply))
    return output.print_paragraphs(alarm_sentences(reply))
