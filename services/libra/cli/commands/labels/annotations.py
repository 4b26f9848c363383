"""`libra labels annotations`: write the scores that people proposed in annotations as a file of labels."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from typing import TextIO

import click

from libra.cli.client import MAX_PAGE, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.files.label_sheet import COLUMNS, write_rows
from libra.cli.render import output
from libra.cli.run_lookup import RUN_FIELDS, resolve_run_id, run_argument
from libra.v1.annotation_pb2 import Annotation, ListAnnotationsRequest, ListAnnotationsResponse
from libra.v1.annotation_pb2_grpc import AnnotationServiceStub
from libra.v1.label_pb2 import DrawnTrial, Label
from libra.v1.ranking_pb2 import GetVerdictRequest, GetVerdictResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub


@click.command("annotations")
@run_argument
@click.option("--output", "file", type=click.File("w", encoding="utf-8"), default="-", help="The file to write.")
@with_client
async def write_annotations(client: ServiceClient, run_id: str, file: TextIO) -> None:
    """Write the scores that annotations of a run propose, as CSV.

    \b
    libra labels annotations last --output annotated.csv
    libra judges calibrate refusal annotated.csv

    The newest proposed score of each answer counts. Answers that people picked by hand say how a judge errs on hard
    cases, and not how often: `libra labels draw` draws answers at random, and only those correct scores.
    """  # noqa: D301 - click reads the \b
    request = ListAnnotationsRequest(run=await resolve_run_id(client, run_id), page_size=MAX_PAGE)
    with field_names(RUN_FIELDS):
        reply: ListAnnotationsResponse = await client.list_all(
            AnnotationServiceStub, "ListAnnotations", request, "annotations", limit=0
        )
    newest = newest_scores(reply.annotations)
    if newest:
        csv.writer(file, lineterminator="\n").writerow(COLUMNS)
    for annotation in newest:
        found: GetVerdictResponse = await client.call(
            RankingServiceStub, "GetVerdict", GetVerdictRequest(id=annotation.verdict)
        )
        label = Label(trial=annotation.verdict, score=annotation.score, author=annotation.author)
        file.write(write_rows([DrawnTrial(verdict=found.verdict, label=label)]))
    output.print_note(f"{len(newest):,} answers have a proposed score")
    if not newest:
        sys.exit(1)


def newest_scores(found: Iterable[Annotation]) -> list[Annotation]:
    """Return the last annotation with a score of each verdict, in order of verdict; `found` is in order of time."""
    newest = {each.verdict: each for each in found if each.HasField("score")}
    return [newest[verdict] for verdict in sorted(newest)]
