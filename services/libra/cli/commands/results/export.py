"""`libra export`: the results of a run in the formats of other tools."""

from __future__ import annotations

from pathlib import Path

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.export import every_eval_ever, tables
from libra.cli.export.eval_results import eval_results, write_eval_results
from libra.cli.export.exported_run import iterate_verdicts, load_run
from libra.cli.export.verdict_rows import COLUMNS, TEXT_COLUMNS, verdict_row
from libra.cli.render import output
from libra.cli.run_lookup import find_run, run_argument
from libra.core.errors import Invalid
from libra.v1.run_pb2 import Run

EVERY_EVAL_EVER, EVAL_RESULTS = "eee", "hf"
TABLES = (tables.CSV, tables.JSONL, tables.PARQUET)
RELATIONSHIPS = ("first_party", "third_party", "collaborative", "other")


@click.command()
@run_argument
@click.option(
    "--format",
    "form",
    type=click.Choice((*TABLES, EVERY_EVAL_EVER, EVAL_RESULTS)),
    default=tables.JSONL,
    show_default=True,
    help="csv, jsonl or parquet: one row for each verdict. eee: Every Eval Ever 0.3. hf: Hugging Face .eval_results.",
)
@click.option(
    "--output",
    "target",
    type=click.Path(path_type=Path),
    help="The file, or for eee and hf the folder.  [default: RUN.FORMAT, or RUN]",
)
@click.option("--full", is_flag=True, help="Also write prompts and answers to csv, jsonl and parquet.")
@click.option(
    "--organization", default="unknown", show_default=True, help="For eee: the organization that made the evaluation."
)
@click.option(
    "--relationship",
    type=click.Choice(RELATIONSHIPS),
    default="third_party",
    show_default=True,
    help="For eee: the relation of the organization to the models.",
)
@with_client
async def export(
    client: ServiceClient,
    run_id: str,
    form: str,
    target: Path | None,
    organization: str,
    relationship: str,
    *,
    full: bool,
) -> None:
    """Write the results of a run to files that other tools read.

    \b
    libra export last --format csv
    libra export last --format parquet --full --output verdicts.parquet
    libra export last --format eee --organization "My Team"

    The samples of an open round stay sealed: their prompts and answers are not exported.
    """  # noqa: D301 - click reads the \b
    run = await find_run(client, run_id)
    try:
        if form in TABLES:
            await _write_table(client, run, form, target or Path(f"{run.id}.{form}"), full=full)
        elif form == EVERY_EVAL_EVER:
            evaluator = every_eval_ever.Evaluator(organization, relationship)
            await _write_every_eval_ever(client, run, target or Path(run.id), evaluator)
        else:
            await _write_eval_results(client, run, target or Path(run.id))
    except OSError as error:
        raise Invalid(f"{error.filename or target} cannot be written: {error.strerror}", field="--output") from error


async def _write_table(client: ServiceClient, run: Run, form: str, path: Path, *, full: bool) -> None:
    rows = (verdict_row(verdict, has_text=full) async for verdict in iterate_verdicts(client, run.id, has_text=full))
    count = await tables.write_table(rows, path, form, COLUMNS | TEXT_COLUMNS if full else COLUMNS)
    output.print_note(f"{path}: {count:,} verdicts")


async def _write_every_eval_ever(
    client: ServiceClient, run: Run, folder: Path, evaluator: every_eval_ever.Evaluator
) -> None:
    exported = await load_run(client, run)
    for row in exported.board.rows:
        verdicts = iterate_verdicts(client, run.id, model=row.model, has_text=True)
        count = await every_eval_ever.write_model(exported, row, verdicts, folder, evaluator)
        left_out = row.counts.unjudged + row.counts.failed
        path = folder / every_eval_ever.model_files(exported, row.model).document
        unscored = f"; {left_out:,} without a score are not in it" if left_out else ""
        output.print_note(f"{path}: {count:,} verdicts{unscored}")


async def _write_eval_results(client: ServiceClient, run: Run, folder: Path) -> None:
    if not run.HasField("end_time"):
        raise Invalid(f"the run {run.id} has not ended; export it when it has", field="RUN")
    exported = await load_run(client, run)
    for row in exported.board.rows:
        found = eval_results(exported, row)
        count = write_eval_results(found, folder / row.model)
        output.print_note(f"{folder / row.model}: {count:,} tasks")
        if found.left_out:
            names = ", ".join(found.left_out[:5]) + (", ..." if len(found.left_out) > 5 else "")  # noqa: PLR2004 - an excerpt
            output.print_note(f"{len(found.left_out)} scores are left out, since the format cannot name them: {names}")
