"""`libra judges drift`: check whether a judge still judges as it did when it was calibrated."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.commands.judges.calibrate import CALIBRATE_SECONDS, judge_spec, user_name_of
from libra.cli.errors import field_names
from libra.cli.exit_codes import NEEDS_ATTENTION
from libra.cli.files import label_csv
from libra.cli.param_types import EXISTING_FILE
from libra.cli.render import output
from libra.cli.render.judges.drift import MAX_CHANGES_SHOWN, print_drift
from libra.v1.judge_pb2 import CheckDriftRequest
from libra.v1.judge_pb2_grpc import JudgeServiceStub


@click.command()
@click.argument("name", metavar="JUDGE")
@click.argument("file", metavar="LABELS", type=EXISTING_FILE)
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the judge; repeatable.")
@click.option("--judge-model", default="", metavar="NAME", help="The registered model that the judge uses.")
@click.option("--invert", is_flag=True, help="The labels are inverted: 1 means what the judge scores with 0.")
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.05,
    show_default=True,
    help="Report drift if the p value is below this.",
)
@click.option(
    "--max-changed",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Report drift if the share of changed answers is above this.",
)
@click.option(
    "--show",
    "shown",
    type=click.IntRange(0, MAX_CHANGES_SHOWN),
    default=5,
    show_default=True,
    help="Print this many of the answers that changed.",
)
@output.json_option
@with_client
async def drift(
    client: ServiceClient,
    name: str,
    file: Path,
    options: tuple[str, ...],
    judge_model: str,
    alpha: float,
    max_changed: float,
    shown: int,
    *,
    invert: bool,
    as_json: bool,
) -> None:
    """Check whether JUDGE still judges as at its calibration.

    \b
    libra judges drift harm labels.csv --judge-model my-judge

    LABELS is the file of the calibration, unchanged, and the options are the same. The answers are judged again without
    stored replies, and compared one by one with the verdicts of then: McNemar's exact test tells whether the judge
    agrees with people more or less often. Nothing is stored.

    The exit code is 0 without drift, and 1 with it.
    """  # noqa: D301 - click reads the \b
    answers = label_csv.read(file, invert=invert)
    spec = await judge_spec(client, name, options, judge_model)
    request = CheckDriftRequest(judge=spec, answers=answers, alpha=alpha, max_changed=max_changed)
    with field_names(user_name_of):
        reply = await client.call(JudgeServiceStub, "CheckDrift", request, timeout_seconds=CALIBRATE_SECONDS)
    if as_json:
        output.print_json(reply)
    else:
        print_drift(reply, answers, shown)
    if reply.drifted:
        sys.exit(NEEDS_ATTENTION)
