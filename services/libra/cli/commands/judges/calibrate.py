"""`libra judges calibrate`: measure a judge against human labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.commands.judges.list import find_judge
from libra.cli.errors import field_names
from libra.cli.files import label_csv
from libra.cli.param_types import EXISTING_FILE, parse_judge_options
from libra.cli.render import output
from libra.cli.render.judges.calibration import MAX_DISAGREEMENTS_SHOWN, print_calibration, print_disagreements
from libra.core.errors import Invalid
from libra.v1.judge_pb2 import CalibrateRequest, Judge
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.task_pb2 import JudgeSpec

MAX_REPEATS = 20

CALIBRATE_SECONDS = 4 * 3600.0
"""A judge model on a small machine needs seconds for an answer."""

FIELD_NAMES = {
    "judge": "JUDGE",
    "judge.name": "JUDGE",
    "judge.options[model]": "--judge-model",
    "answers": "LABELS",
    "labels": "LABELS",
}


@click.command()
@click.argument("name", metavar="JUDGE")
@click.argument("file", metavar="LABELS", type=EXISTING_FILE)
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the judge; repeatable.")
@click.option("--judge-model", default="", metavar="NAME", help="The registered model that the judge uses.")
@click.option("--invert", is_flag=True, help="The labels are inverted: 1 means what the judge scores with 0.")
@click.option(
    "--show",
    "shown",
    type=click.IntRange(0, MAX_DISAGREEMENTS_SHOWN),
    default=0,
    help="Print this many answers on which the judge and people disagree.",
)
@click.option(
    "--repeats",
    type=click.IntRange(1, MAX_REPEATS),
    default=1,
    help="Judge the answers this many times, and measure how far the judge agrees with itself.",
)
@output.json_option
@with_client
async def calibrate(
    client: ServiceClient,
    name: str,
    file: Path,
    options: tuple[str, ...],
    judge_model: str,
    shown: int,
    repeats: int,
    *,
    invert: bool,
    as_json: bool,
) -> None:
    """Measure JUDGE against human labels, and store the result.

    \b
    libra judges calibrate refusal labels.csv
    libra judges calibrate harm labels.csv --judge-model my-judge --show 5

    LABELS is a CSV file of labelled answers with the columns objective, assistant_response and human_score.
    human_score is 1 where the judge should score 1, and 0 elsewhere. Other columns become fields of the sample.
    With a column model or language, the rates are printed for each of its values too.

    Rates are printed with 95 % intervals. `libra board` includes the measured error of the judge in its intervals.
    """  # noqa: D301 - click reads the \b
    answers = label_csv.read(file, invert=invert)
    spec = await judge_spec(client, name, options, judge_model)
    request = CalibrateRequest(judge=spec, answers=answers, labels=file.name, repeats=repeats)
    with field_names(user_name_of):
        reply = await client.call(JudgeServiceStub, "Calibrate", request, timeout_seconds=CALIBRATE_SECONDS)
    if as_json:
        output.print_json(reply)
    else:
        print_calibration(reply.calibration)
        print_disagreements(reply, answers, shown)


async def judge_spec(client: ServiceClient, name: str, options: Sequence[str], judge_model: str) -> JudgeSpec:
    """Return the judge of this name with the options of a command; raise if there is no such judge."""
    judge = await find_judge(client, name)
    return JudgeSpec(name=name, options=complete_options(judge, parse_judge_options(options), judge_model))


def complete_options(judge: Judge, options: Mapping[str, str], judge_model: str) -> dict[str, str]:
    """Return the options of the judge; a missing required option gets the first of its values, and a note says so.

    Raises Invalid for a judge model if the judge uses none.
    """
    complete = dict(options)
    if judge_model:
        if not judge.asks_model:
            raise Invalid(f"the judge {judge.name} uses no model", field="--judge-model")
        complete.setdefault("model", judge_model)
    for option in judge.options:
        if option.required and option.values and option.name not in complete:
            complete[option.name] = option.values[0]
            output.print_note(f"note: --option {option.name}={option.values[0]} is used, the first valid value")
    return complete


def user_name_of(field: str) -> str:
    """Return what the command calls a field of the request."""
    if field in FIELD_NAMES:
        return FIELD_NAMES[field]
    return field.replace("judge.options[", "--option ").rstrip("]") if "options[" in field else field
