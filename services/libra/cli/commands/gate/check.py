"""`libra gate check`: decide whether a model keeps what a policy demands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from libra.cli.client import SAMPLE_QUERY_SECONDS, ServiceClient, with_client
from libra.cli.commands.gate.decide import DecidePlan, decide
from libra.cli.commands.gate.policy_argument import field_namer, policy_argument, read_policy
from libra.cli.commands.run.watch import keep_run_on_interrupt
from libra.cli.errors import field_names
from libra.cli.param_types import INT64, ORDINAL
from libra.cli.render import output
from libra.cli.render.gates.gate_export import EXPORTS, exit_code
from libra.cli.render.gates.gate_report import GateReport
from libra.cli.render.gates.gate_table import gate_table, paragraphs
from libra.cli.run_lookup import resolve_run_id, run_help
from libra.core.errors import Invalid
from libra.v1.gate_pb2 import CheckGateRequest
from libra.v1.gate_pb2_grpc import GateServiceStub

FORMATS = ("table", "json", *EXPORTS)
DEFAULT_FIRST_SAMPLES = 50


@click.command()
@policy_argument
@click.argument("model")
@click.option("--run", "runs", multiple=True, metavar="RUN", help="Only this finished run of MODEL; repeatable.")
@click.option("--decide", "is_sequential", is_flag=True, help="Order samples in steps until the data decide.")
@click.option(
    "--samples",
    type=ORDINAL,
    help=f"Samples per task in the first step of --decide; each step doubles them.  [default: {DEFAULT_FIRST_SAMPLES}]",
)
@click.option("--max-samples", type=ORDINAL, help="At most this many samples per task.  [default: all of them]")
@click.option("--seed", type=INT64, help="Seeds the selection of samples for --decide.  [default: 0, or that of RUN]")
@click.option("--fresh", is_flag=True, help="Request every answer of --decide anew, at each step.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True, help="The output format."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--write", "files", multiple=True, metavar="FORMAT=FILE", help="Also write this format to a file; repeatable."
)
@run_help
@keep_run_on_interrupt
@with_client
async def check(
    client: ServiceClient,
    /,
    policy: Path,
    model: str,
    form: str,
    files: tuple[str, ...],
    *,
    is_sequential: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Decide whether MODEL keeps the policy in the file POLICY.

    \b
    libra gate check examples/gate.yaml mine
    libra gate check examples/gate.yaml mine --run last --baseline-run RUN
    libra gate check examples/gate.yaml mine --decide

    A rule passes if its interval is on the permitted side, and is breached if the data contradict it after Holm's
    correction over all rules. examples/gate.yaml explains every key. Without --run, the newest finished run of each
    task and attack counts. The word check may be left out.

    --decide runs MODEL, and a baseline that is another model, on more and more samples of the tasks in the policy or
    of RUN. Its tests stay valid at every step. Do not repeat an ordinary check on new runs until it is GO: each
    repetition is another chance for an error.

    \b
    Exit codes:
      0    GO
      1    NO-GO
      2    invalid input
      3    INCONCLUSIVE, or a part of Libra failed
    """  # noqa: D301 - click reads the \b
    targets = [_parse_target(text) for text in files]
    report = await _check(client, policy, model, is_sequential=is_sequential, **options)
    for name, path in targets:
        path.write_text(_export(report, name) + "\n", encoding="utf-8")
    _print(report, "json" if as_json else form)
    sys.exit(exit_code(report.reply))


async def _check(
    client: ServiceClient,
    policy: Path,
    model: str,
    *,
    is_sequential: bool,
    runs: Sequence[str],
    baseline: str | None,
    baseline_runs: Sequence[str],
    **steps: Any,
) -> GateReport:
    """Return the decision; with `is_sequential` after ordering samples."""
    plan = _to_plan(**steps) if is_sequential else None
    if plan is None and any(value not in (None, False) for value in steps.values()):
        raise click.UsageError("--samples, --max-samples, --seed and --fresh need --decide")
    file = read_policy(policy, baseline, [await resolve_run_id(client, run) for run in baseline_runs])
    ids = [await resolve_run_id(client, run) for run in runs]
    request = CheckGateRequest(policy=file.policy, model=model, runs=ids, sequential=is_sequential)
    with field_names(field_namer(file, has_options=bool(baseline or baseline_runs))):
        if plan is not None:
            return GateReport(await decide(client, request, plan), model, file, is_sequential=True)
        reply = await client.call(GateServiceStub, "CheckGate", request, timeout_seconds=SAMPLE_QUERY_SECONDS)
    return GateReport(reply, model, file)


def _to_plan(*, samples: int | None, max_samples: int | None, seed: int | None, fresh: bool) -> DecidePlan:
    return DecidePlan(samples or DEFAULT_FIRST_SAMPLES, max_samples, seed, fresh=fresh)


def _parse_target(text: str) -> tuple[str, Path]:
    """Return the format and the file of an option --write; raise Invalid."""
    name, _, path = text.partition("=")
    formats = ("json", *EXPORTS)
    if name not in formats or not path:
        raise Invalid(f"{text!r} is not FORMAT=FILE with one of the formats {', '.join(formats)}", field="--write")
    if not Path(path).resolve().parent.is_dir():
        raise Invalid(f"there is no folder {Path(path).resolve().parent}", field="--write")
    return name, Path(path)


def _export(report: GateReport, name: str) -> str:
    return output.to_json(report.reply) if name == "json" else EXPORTS[name](report)


def _print(report: GateReport, form: str) -> None:
    if form != "table":
        return click.echo(_export(report, form))
    output.print_table(gate_table(report))
    return output.print_paragraphs(paragraphs(report))
