"""`libra dead`: what a stage could not digest and set aside."""

from __future__ import annotations

import click

from libra.cli.client import Client, speaks
from libra.cli.errors import in_words
from libra.cli.param_types import ORDINAL
from libra.cli.render import output
from libra.cli.render.sanitize import one_line, plain
from libra.v1.dead_letter_pb2 import (
    DeadLetter,
    GetDeadLetterRequest,
    ListDeadLettersRequest,
    ReplayDeadLetterRequest,
)
from libra.v1.dead_letter_pb2_grpc import DeadLetterServiceStub

STAGES = ("attack", "writing", "gateway", "judge", "ranking")
REASON_CHARACTERS = 200


@click.group()
def dead() -> None:
    """Dead letters: batches that a stage could not digest.

    They are kept for 30 days. A run does not wait for them: what is missing is sent again, and in the end declared FAILED.
    """


@dead.command("list")
@click.option("--stage", type=click.Choice(STAGES), help="Only what this stage set aside.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most this many.")
@output.json_option
@speaks
async def list_letters(client: Client, stage: str | None, limit: int, *, as_json: bool) -> None:
    """List dead letters, the oldest first."""
    request = ListDeadLettersRequest(page_size=min(limit, 500), stage=stage or "")
    answer = await client.pages(DeadLetterServiceStub, "ListDeadLetters", request, "dead_letters", limit=limit)
    if as_json:
        return output.emit_json(answer)
    table = output.columns("N", "stage", "set aside", "tries", "reason", right=("N", "tries"), whole=("set aside",))
    for letter in answer.dead_letters:
        output.add(
            table, letter.id, letter.stage, when(letter), letter.attempts, one_line(letter.reason, REASON_CHARACTERS)
        )
    return output.show(table, empty="no dead letters: every stage could digest what it was sent")


@dead.command()
@click.argument("number", metavar="N", type=ORDINAL)
@output.json_option
@speaks
async def show(client: Client, number: int, *, as_json: bool) -> None:
    """Show the dead letter N with what is in it."""
    with in_words(lambda field: "N" if field == "id" else field):
        answer = await client.call(DeadLetterServiceStub, "GetDeadLetter", GetDeadLetterRequest(id=number))
    if as_json:
        return output.emit_json(answer)
    letter = answer.dead_letter
    output.pairs(
        [
            ("N", letter.id),
            ("stage", letter.stage),
            ("reason", letter.reason),
            ("subject", letter.subject),
            ("key", letter.key),
            ("tries", letter.attempts),
            ("set aside", when(letter)),
            ("bytes", letter.size_bytes),
        ]
    )
    return click.echo(plain(letter.json) or f"(it cannot be decoded; it begins with {letter.data[:64]!r})")


@dead.command()
@click.argument("numbers", metavar="N...", type=ORDINAL, nargs=-1, required=True)
@speaks
async def replay(client: Client, numbers: tuple[int, ...]) -> None:
    """Send the dead letters N... to their stages again.

    Safe to repeat: a trial that has its verdict keeps it.
    """
    for number in numbers:
        with in_words(lambda field: "N" if field == "id" else field):
            answer = await client.call(DeadLetterServiceStub, "ReplayDeadLetter", ReplayDeadLetterRequest(id=number))
        click.echo(f"{number} was sent to {answer.subject} again")


def when(letter: DeadLetter) -> str:
    """Return the time at which it was set aside."""
    return letter.create_time.ToDatetime().strftime("%Y-%m-%d %H:%M UTC")
