"""`libra dead`: dead-lettered batches."""

from __future__ import annotations

import click

from libra.cli.client import MAX_PAGE, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.param_types import ORDINAL
from libra.cli.render import output
from libra.cli.render.format import one_line, utc_time
from libra.cli.render.sanitize import sanitize
from libra.v1.dead_letter_pb2 import GetDeadLetterRequest, ListDeadLettersRequest, ReplayDeadLetterRequest
from libra.v1.dead_letter_pb2_grpc import DeadLetterServiceStub

STAGES = ("attack", "writing", "gateway", "judge", "ranking")
REASON_CHARACTERS = 200
FIELD_NAMES = {"id": "N"}


@click.group()
def dead() -> None:
    """List, show and replay dead-lettered batches.

    A stage dead-letters a batch that it cannot process. Dead letters are kept for 30 days. Runs do not wait for them:
    the missing trials are sent again and, if that fails too, get the outcome FAILED.
    """


@dead.command("list")
@click.option("--stage", type=click.Choice(STAGES), help="Only the dead letters of this stage.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Maximum number of dead letters.")
@output.json_option
@with_client
async def list_letters(client: ServiceClient, stage: str | None, limit: int, *, as_json: bool) -> None:
    """List dead letters, the oldest first."""
    request = ListDeadLettersRequest(page_size=min(limit, MAX_PAGE), stage=stage or "")
    reply = await client.list_all(DeadLetterServiceStub, "ListDeadLetters", request, "dead_letters", limit=limit)
    if as_json:
        return output.print_json(reply)
    table = output.new_table("N", "stage", "time", "tries", "reason", right=("N", "tries"), no_wrap=("time",))
    for letter in reply.dead_letters:
        time = utc_time(letter.create_time, "minute")
        output.add_row(
            table, letter.id, letter.stage, time, letter.attempts, one_line(letter.reason, REASON_CHARACTERS)
        )
    return output.print_table(table, empty="there are no dead letters")


@dead.command()
@click.argument("number", metavar="N", type=ORDINAL)
@output.json_option
@with_client
async def show(client: ServiceClient, number: int, *, as_json: bool) -> None:
    """Show the dead letter N and its content."""
    with field_names(FIELD_NAMES):
        reply = await client.call(DeadLetterServiceStub, "GetDeadLetter", GetDeadLetterRequest(id=number))
    if as_json:
        return output.print_json(reply)
    letter = reply.dead_letter
    output.print_pairs(
        [
            ("N", letter.id),
            ("stage", letter.stage),
            ("reason", letter.reason),
            ("subject", letter.subject),
            ("key", letter.key),
            ("tries", letter.attempts),
            ("time", utc_time(letter.create_time, "minute")),
            ("bytes", letter.size_bytes),
        ]
    )
    if letter.sealed:
        return click.echo("(the content is withheld: it may contain samples of an open round)")
    return click.echo(
        sanitize(letter.json) or f"(the content cannot be decoded; its first bytes: {letter.data[:64]!r})"
    )


@dead.command()
@click.argument("numbers", metavar="N...", type=ORDINAL, nargs=-1, required=True)
@with_client
async def replay(client: ServiceClient, numbers: tuple[int, ...]) -> None:
    """Send the dead letters N... to their stages again.

    A replay is safe to repeat: a trial that has a verdict keeps it.
    """
    for number in numbers:
        with field_names(FIELD_NAMES):
            reply = await client.call(DeadLetterServiceStub, "ReplayDeadLetter", ReplayDeadLetterRequest(id=number))
        click.echo(f"{number} was sent to {reply.subject} again")
