"""`libra verdicts`: every answer of a run, and what was made of it."""

from __future__ import annotations

from collections.abc import Iterable

import click

from libra.cli import output
from libra.cli.client import Client, speaks
from libra.cli.conversation import SCORED, print_verdict
from libra.cli.errors import in_words
from libra.cli.runs import ID_WORDS, find_id
from libra.cli.text import one_line, outcome_word
from libra.v1.ranking_pb2 import ListVerdictsRequest, VerdictView
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.verdict_pb2 import Outcome, Verdict

OUTCOMES = {name.removeprefix("OUTCOME_").lower(): number for name, number in Outcome.items() if number}
WHY_CHARACTERS = 120
PAGE, FULL_PAGE = 500, 50
WORDS = {**ID_WORDS, "model": "--model", "task": "--task", "attack": "--attack"}


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--model", default="", help="Only this model's.")
@click.option("--task", default="", metavar="NAME", help="Only this task's; name or name@version.")
@click.option("--attack", default="", help="Only those under this attack; none is the plain prompt.")
@click.option("--outcome", type=click.Choice(list(OUTCOMES)), help="Only those that ended so.")
@click.option("--full", is_flag=True, help="Print what was asked and answered.")
@click.option("--limit", type=click.IntRange(0), default=50, show_default=True, help="At most this many; 0 for all.")
@output.json_option
@speaks
async def verdicts(
    client: Client,
    run_id: str,
    model: str,
    task: str,
    attack: str,
    outcome: str | None,
    limit: int,
    *,
    full: bool,
    as_json: bool,
) -> None:
    """List a run's verdicts, in the order of its trials.

    \b
    libra verdicts last --outcome failed
    libra verdicts RUN --task privacy_requests --full
    """  # noqa: D301 - click reads the \b
    request = ListVerdictsRequest(
        run=await find_id(client, run_id),
        model=model,
        task=task,
        attack=attack,
        outcome=OUTCOMES[outcome] if outcome else Outcome.OUTCOME_UNSPECIFIED,
        page_size=min(limit or PAGE, FULL_PAGE if full else PAGE),
        view=VerdictView.VERDICT_VIEW_FULL if full else VerdictView.VERDICT_VIEW_BASIC,
    )
    with in_words(lambda field: WORDS.get(field, field)):
        answer = await client.pages(RankingServiceStub, "ListVerdicts", request, "verdicts", limit=limit)
    if as_json:
        output.emit_json(answer)
    elif full and answer.verdicts:
        for verdict in answer.verdicts:
            print_verdict(verdict)
    else:
        print_table(answer.verdicts)
    if answer.next_page_token and not as_json:
        output.note(f"these are the first {limit:,}; --limit 0 prints all")


def print_table(found: Iterable[Verdict]) -> None:
    """Print a line for each verdict."""
    table = output.columns("model", "task", "sample", "outcome", "score", "label", "why", right=("sample", "score"))
    for verdict in found:
        attack = "" if verdict.attack == "none" else f"+{verdict.attack}"
        sample = f"{verdict.sample}.{verdict.epoch}" if verdict.epoch else verdict.sample
        score = f"{verdict.score:.3g}" if verdict.outcome in SCORED else ""
        output.add(
            table,
            verdict.model,
            verdict.task.partition("@")[0] + attack,
            sample,
            outcome_word(verdict.outcome),
            score,
            verdict.label,
            one_line(verdict.rationale, WHY_CHARACTERS),
        )
    output.show(table, empty="no verdict is like that")
