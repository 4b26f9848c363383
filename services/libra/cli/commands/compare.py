"""`libra compare`: is one model better than another, or one run of it than the next, and how sure is that?"""

from __future__ import annotations

import click

from libra.cli.client import Client, speaks
from libra.cli.errors import in_words
from libra.cli.render import output
from libra.cli.render.compare import answers, remarks, table_of
from libra.cli.run_lookup import find_id
from libra.v1.ranking_pb2 import CompareModelsRequest, CompareModelsResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub

WORDS = {"model": "MODEL", "other": "OTHER", "runs": "--run", "other_runs": "--other-run"}
COMPARE_SECONDS = 300.0
"""What each sample contributes is gathered from the verdicts, the first time it is asked for."""


@click.command()
@click.argument("model")
@click.argument("other")
@click.option("--run", "runs", multiple=True, metavar="RUN", help="Only this run of MODEL; repeat it for more.")
@click.option(
    "--other-run",
    "other_runs",
    multiple=True,
    metavar="RUN",
    help="Only this run of OTHER; repeat it for more.  [default: as --run]",
)
@output.json_option
@speaks
async def compare(
    client: Client, model: str, other: str, runs: tuple[str, ...], other_runs: tuple[str, ...], *, as_json: bool
) -> None:
    """Compare MODEL with OTHER on the samples that both have a score of.

    \b
    libra compare careful refuser
    libra compare mine mine --run last --other-run RUN     did this release get worse?

    A difference is MODEL's score less OTHER's, with its 95 % interval and the p of no difference at all: an exact test on each
    task (McNemar's, or of permuted signs), with Holm's correction over all tasks, and a normal one on means of tasks. `finds`
    is the least true difference that such a comparison would find four times in five.

    Without --run, the newest finished run of each task and attack counts. RUN is a run's id, or `last` for the newest.
    """  # noqa: D301 - click reads the \b
    request = CompareModelsRequest(
        model=model,
        other=other,
        runs=[await find_id(client, run) for run in runs],
        other_runs=[await find_id(client, run) for run in other_runs],
    )
    with in_words(lambda field: WORDS.get(field.partition("[")[0], field)):
        answer: CompareModelsResponse = await client.call(
            RankingServiceStub, "CompareModels", request, seconds=COMPARE_SECONDS
        )
    if as_json:
        return output.emit_json(answer)
    output.show(table_of(answer), empty="the two share nothing that could be compared")
    for sentence in [*answers(answer, request), *remarks(answer, request)]:
        click.echo(sentence)
    return None
