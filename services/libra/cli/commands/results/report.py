"""`libra report`: a run as one page for people who were not there."""

from __future__ import annotations

from pathlib import Path

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.export.exported_run import iterate_verdicts, load_run
from libra.cli.render import output
from libra.cli.report.contents import ReportInputs, build_report
from libra.cli.report.html_page import to_html
from libra.cli.report.markdown import to_markdown
from libra.cli.report.samples import draw_samples
from libra.cli.run_lookup import find_run, run_argument
from libra.core.errors import Invalid
from libra.v1.judge_pb2 import ListCalibrationsRequest
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.ranking_pb2 import ReportAttacksRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub

FORMATS = {"html": to_html, "markdown": to_markdown}
SUFFIXES = {"html": "html", "markdown": "md"}


@click.command()
@run_argument
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="html", show_default=True)
@click.option(
    "--output", "path", type=click.Path(path_type=Path, dir_okay=False), help="The file.  [default: RUN.html or RUN.md]"
)
@click.option(
    "--answers",
    type=click.IntRange(0, 500),
    default=10,
    show_default=True,
    help="Answers to show, drawn at random; 0 keeps all prompts and answers out of the report.",
)
@with_client
async def report(client: ServiceClient, run_id: str, form: str, path: Path | None, answers: int) -> None:
    """Write a report on a run: one file that needs no other.

    It has the design, the tasks with their versions and licences, the judges with their measured errors, the scores
    with intervals, the cost, what was not measured, and some answers.

    \b
    libra report last
    libra report RUN --format markdown --answers 0 --output model_card.md
    """  # noqa: D301 - click reads the \b
    run = await find_run(client, run_id)
    target = path or Path(f"{run.id}.{SUFFIXES[form]}")
    inputs = ReportInputs(
        exported=await load_run(client, run),
        calibrations=(await client.call(JudgeServiceStub, "ListCalibrations", ListCalibrationsRequest())).calibrations,
        costs=(await client.call(RankingServiceStub, "ReportAttacks", ReportAttacksRequest(run=run.id))).reports,
        samples=await draw_samples(iterate_verdicts(client, run.id, has_text=bool(answers)), answers),
    )
    try:
        target.write_text(FORMATS[form](build_report(inputs)), encoding="utf-8", errors="replace")
    except OSError as error:
        raise Invalid(f"{target} cannot be written: {error.strerror}", field="--output") from error
    output.print_note(f"{target} has the report")
