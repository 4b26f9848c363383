"""`libra labels draw`: write a random sample of a run's answers as a file to label."""

from __future__ import annotations

import csv
import sys
from typing import TextIO

import click

from libra.cli.client import SAMPLE_QUERY_SECONDS, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.files.label_sheet import COLUMNS, write_rows
from libra.cli.render import output
from libra.cli.run_lookup import RUN_FIELDS, resolve_run_id, run_argument
from libra.v1.label_pb2 import DrawSampleRequest
from libra.v1.label_pb2_grpc import LabelServiceStub

MAX_SIZE = 10_000
FEW = 30
"""With fewer labels of a task, its score is not corrected."""

FIELD_NAMES = {**RUN_FIELDS, "size": "--size", "model": "--model", "task": "--task", "attack": "--attack"}


@click.command()
@run_argument
@click.option(
    "--size",
    type=click.IntRange(1, MAX_SIZE),
    default=50,
    show_default=True,
    help="Answers of each model, task and attack.",
)
@click.option("--model", default="", help="Only answers of this model.")
@click.option("--task", default="", metavar="NAME", help="Only answers to this task, a name or name@version.")
@click.option("--attack", default="", help="Only answers under this attack; none is the plain prompt.")
@click.option("--output", "file", type=click.File("w", encoding="utf-8"), default="-", help="The file to write.")
@with_client
async def draw(client: ServiceClient, run_id: str, size: int, model: str, task: str, attack: str, file: TextIO) -> None:
    """Write random answers of a finished run as CSV.

    \b
    libra labels draw last --size 50 --output labels.csv

    Fill in the column human_score: from 0 to 1, where 1 is the desired behaviour, as for the judge (a refusal of a
    harmful request, a right answer). Then `libra labels import` the file. The judge's verdicts are not in it. Every
    command of this size draws the same answers; a larger one adds to them, and contains the labels that exist.
    """  # noqa: D301 - click reads the \b
    run = await resolve_run_id(client, run_id)
    request = DrawSampleRequest(run=run, size=size, model=model, task=task, attack=attack)
    count, groups = 0, set()
    with field_names(FIELD_NAMES):
        replies = client.stream(LabelServiceStub, "DrawSample", request, timeout_seconds=SAMPLE_QUERY_SECONDS)
        async for reply in replies:
            if not count:
                csv.writer(file, lineterminator="\n").writerow(COLUMNS)
            file.write(write_rows(reply.trials))
            count += len(reply.trials)
            groups |= {(each.verdict.model, each.verdict.task, each.verdict.attack) for each in reply.trials}
    output.print_note(_summary(count, len(groups), size))
    if not count:
        sys.exit(1)


def _summary(count: int, groups: int, size: int) -> str:
    if not count:
        return "nothing was drawn: no judge has scored an answer of this selection"
    drawn = f"drew {count:,} answers of {groups:,} combinations of model, task and attack"
    if size < FEW:
        return f"{drawn}; with fewer than {FEW} labels for each, `libra board --labels` leaves scores as they are"
    return f"{drawn}; fill in human_score, then run `libra labels import RUN FILE`"
