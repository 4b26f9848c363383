"""`libra verdicts`: every answer of a run, and what was made of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import click

from libra.cli.client import Client, speaks
from libra.cli.errors import in_words
from libra.cli.render import output
from libra.cli.render.sanitize import one_line, outcome_word, plain
from libra.cli.render.transcript import SCORED, print_verdict
from libra.cli.run_lookup import ID_WORDS, find_id
from libra.contracts.attacks import task_label
from libra.contracts.outcomes import OUTCOMES
from libra.v1.ranking_pb2 import ListVerdictsRequest, VerdictView
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.verdict_pb2 import Outcome, Verdict

WHY_CHARACTERS = 120
SCORE_CHARACTERS, LABEL_CHARACTERS = 5, 24
COLUMNS = ("sample", "outcome", "score", "label", "why")
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


def print_table(found: Sequence[Verdict]) -> None:
    """Print a line for each verdict, under the names of model, task and attack: these may be as long as the terminal is wide."""
    if not found:
        click.echo("no verdict is like that")
    least = {
        "sample": max(map(len, map(sample, found)), default=0),
        "outcome": max((len(outcome_word(verdict.outcome)) for verdict in found), default=0),
        "score": SCORE_CHARACTERS,
        "label": min(LABEL_CHARACTERS, max((len(verdict.label) for verdict in found), default=0)),
    }
    for place, (names, verdicts) in enumerate(groupby(found, about)):
        click.echo(("\n" if place else "") + plain(names))
        table = output.columns(*COLUMNS, right=("sample", "score"), least=least)
        for verdict in verdicts:
            score = f"{verdict.score:.3g}" if verdict.outcome in SCORED else ""
            why = one_line(verdict.rationale, WHY_CHARACTERS)
            output.add(table, sample(verdict), outcome_word(verdict.outcome), score, verdict.label, why)
        output.show(table, empty="")


def about(verdict: Verdict) -> str:
    """Return what a trial has in common with its neighbours: its model, and its task with the attack."""
    return f"{verdict.model}  {task_label(verdict.task.partition('@')[0], verdict.attack)}"


def sample(verdict: Verdict) -> str:
    """Return the sample's ordinal, with the epoch if it is not the first."""
    return f"{verdict.sample}.{verdict.epoch}" if verdict.epoch else str(verdict.sample)
