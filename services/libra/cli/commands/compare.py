"""`libra compare`: compare two models, or two runs of one model, on the same samples."""

from __future__ import annotations

import click

from libra.cli.client import SAMPLE_QUERY_SECONDS, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.compare import comparison_table, conclusions, footnotes
from libra.cli.run_lookup import resolve_run_id, run_help
from libra.v1.ranking_pb2 import CompareModelsRequest, CompareModelsResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub

FIELD_NAMES = {"model": "MODEL", "other": "OTHER", "runs": "--run", "other_runs": "--other-run", "round": "--round"}


@click.command()
@click.argument("model")
@click.argument("other")
@click.option("--run", "runs", multiple=True, metavar="RUN", help="Only this run of MODEL; repeatable.")
@click.option(
    "--other-run",
    "other_runs",
    multiple=True,
    metavar="RUN",
    help="Only this run of OTHER; repeatable.  [default: as --run]",
)
@click.option("--round", "round_name", default="", metavar="NAME", help="Only the finished runs of this round.")
@run_help
@output.json_option
@with_client
async def compare(
    client: ServiceClient,
    model: str,
    other: str,
    runs: tuple[str, ...],
    other_runs: tuple[str, ...],
    round_name: str,
    *,
    as_json: bool,
) -> None:
    """Compare two models on the same samples.

    \b
    libra compare careful refuser
    libra compare careful refuser --round 2027Q1           in a round
    libra compare mine mine --run last --other-run RUN     find a regression

    A difference is the score of MODEL minus that of OTHER, with its 95 % interval and its p value. A task is tested
    exactly (McNemar's test, or a permutation of signs), with Holm's correction over all tasks; means of tasks are
    tested with the normal distribution. `finds` is the smallest true difference that the comparison detects with a
    probability of 80 %.

    Without --run, the newest finished run of each task and attack counts, with --round those of the round.
    """  # noqa: D301 - click reads the \b
    request = CompareModelsRequest(
        model=model,
        other=other,
        runs=[await resolve_run_id(client, run) for run in runs],
        other_runs=[await resolve_run_id(client, run) for run in other_runs],
        round=round_name,
    )
    with field_names(FIELD_NAMES):
        reply: CompareModelsResponse = await client.call(
            RankingServiceStub, "CompareModels", request, timeout_seconds=SAMPLE_QUERY_SECONDS
        )
    if as_json:
        return output.print_json(reply)
    output.print_table(comparison_table(reply), empty="the two have no common samples to compare")
    output.print_paragraphs(conclusions(reply, request))
    output.print_paragraphs(footnotes(reply, request))
    return None
