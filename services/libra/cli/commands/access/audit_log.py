"""`libra audit-log`: who changed what."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator

import click

from libra.cli.client import MAX_PAGE, ServiceClient, with_client
from libra.cli.exit_codes import NEEDS_ATTENTION
from libra.cli.param_types import ORDINAL
from libra.cli.render import output
from libra.cli.render.format import utc_time
from libra.commitment.audit_chain import ChainVerifier
from libra.core.errors import Invalid
from libra.v1.audit_log_pb2 import AuditEntry, ListAuditEntriesRequest, ListAuditEntriesResponse
from libra.v1.audit_log_pb2_grpc import AuditLogServiceStub

SHOWN_PROBLEMS = 20


@click.command("audit-log")
@click.option("--verify", is_flag=True, help="Verify the chain of hashes instead of listing entries.")
@click.option(
    "--head", metavar="N:HASH", help="With --verify: an end of the log that was noted before, which must be part of it."
)
@click.option("--after", type=ORDINAL, default=None, metavar="N", help="Only entries after entry N.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Only the last entries.")
@output.json_option
@with_client
async def audit_log(
    client: ServiceClient, head: str | None, after: int | None, limit: int, *, verify: bool, as_json: bool
) -> None:
    """Show who changed what, the oldest entry first.

    Every call that changes something or spends money has an entry before it is carried out, and one with its result.
    With LIBRA_ACCESS=off, it has the address of the caller in place of a name. --verify finds changed, removed and
    reordered entries, and prints the end of the log. Note this end outside of Libra and give it as --head later: then a
    log that was replaced as a whole is found too.

    A caller of a team sees the entries of the team; to verify the log takes a token without a team.
    """
    if verify:
        if after or as_json:
            raise Invalid("it verifies the whole log, and has no use for --after and --json", field="--verify")
        return await _verify(client, head)
    entries = deque[AuditEntry](maxlen=limit)
    async for page in _pages(client, after or 0):
        entries.extend(page.entries)
    if as_json:
        return output.print_json(ListAuditEntriesResponse(entries=entries))
    table = output.new_table(
        "N",
        "time",
        "caller",
        "team",
        "method",
        "resource",
        "result",
        right=("N",),
        no_wrap=("time", "method", "result"),
    )
    for entry in entries:
        method = entry.method.rpartition("/")[2]
        time = utc_time(entry.time, "minute")
        output.add_row(table, entry.seq, time, entry.caller, entry.team, method, entry.resource, entry.result)
    return output.print_table(table, empty="the audit log has no entries")


async def _pages(client: ServiceClient, after_seq: int) -> AsyncIterator[ListAuditEntriesResponse]:
    request = ListAuditEntriesRequest(page_size=MAX_PAGE, after_seq=after_seq)
    while True:
        page = await client.call(AuditLogServiceStub, "ListAuditEntries", request)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


async def _verify(client: ServiceClient, head: str | None) -> None:
    chain, problems, head_seq, noted = ChainVerifier(), list[str](), 0, _parse_head(head)
    has_noted = noted is None
    async for page in _pages(client, 0):
        if page.is_partial:
            raise Invalid("a team sees a part of the chain; use a token without a team", field="--verify")
        problems += chain.problems(page.entries)
        has_noted = has_noted or any((entry.seq, entry.hash) == noted for entry in page.entries)
        head_seq = max(head_seq, page.head_seq)
    problems += chain.end_problems(head_seq)
    if not has_noted:
        problems.append(f"the log does not contain the noted end {head}: it was cut or replaced")
    for problem in problems[:SHOWN_PROBLEMS]:
        click.echo(problem)
    if problems:
        click.echo(f"the audit log is not intact: {len(problems)} problems")
        click.get_current_context().exit(NEEDS_ATTENTION)
    click.echo(f"the audit log is intact: {chain.seq} entries; its end is {chain.seq}:{chain.hash}")


def _parse_head(head: str | None) -> tuple[int, str] | None:
    if head is None:
        return None
    seq, _, digest = head.partition(":")
    if not seq.isdecimal() or not digest:
        raise Invalid(f"{head!r} is not N:HASH, as --verify prints it", field="--head")
    return int(seq), digest
