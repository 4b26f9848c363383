"""`libra retention`: remove old texts now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from libra.cli.commands.operations.backup import find_mongo
from libra.cli.param_types import data_option
from libra.cli.settings import load
from libra.core.errors import Invalid
from libra.store.client import Store
from libra.store.documents.create_time import now
from libra.store.maintenance.retention.policy import RetentionPolicy


def days_option(name: str, what: str) -> Callable[..., Any]:
    """Return an option for a number of days."""
    return click.option(name, type=click.IntRange(1, 36_500), metavar="DAYS", help=f"Remove {what} older than this.")


@click.group()
def retention() -> None:
    """Remove old texts, and keep what boards need.

    Scores, sums, costs, votes and the audit of every run stay. To have it done every hour, set
    LIBRA_DISPATCH_KEEP_COMPLETIONS_DAYS, LIBRA_DISPATCH_KEEP_VERDICT_TEXTS_DAYS, LIBRA_DISPATCH_KEEP_BATTLES_DAYS and
    LIBRA_DISPATCH_KEEP_DEAD_LETTERS_DAYS for dispatch. Without them, everything is kept.
    """


@retention.command()
@days_option("--completions", "answers and their requests")
@days_option("--verdict-texts", "judges' reasons and the turns of multi-turn attacks")
@days_option("--battles", "prompts and answers of the arena")
@click.option("--dry-run", is_flag=True, help="Only count what would be removed.")
@data_option
def apply(
    completions: int | None, verdict_texts: int | None, battles: int | None, data: Path | None, *, dry_run: bool
) -> None:
    """Remove old texts now. It cannot be undone: make a backup first.

    The command needs MongoDB alone: the one of the system on this machine, or LIBRA_MONGO_URL and
    LIBRA_MONGO_DATABASE. Services may run meanwhile.
    """
    policy = RetentionPolicy(completions or 0, verdict_texts or 0, battles or 0)
    if policy == RetentionPolicy():
        raise Invalid("name what to remove: --completions, --verdict-texts or --battles")
    for kind, count in asyncio.run(_apply(find_mongo(data), policy, dry_run=dry_run)).items():
        click.echo(f"{kind}: {'would remove' if dry_run else 'removed'} the texts of {count:,} documents")


async def _apply(url: str, policy: RetentionPolicy, *, dry_run: bool) -> dict[str, int]:
    """Return the number of documents by kind."""
    store, counts = Store.connect(url, load().mongo_database), dict[str, int]()
    try:
        for rule in policy.rules(now()):
            counts[rule.kind] = await (store.text_removal.count(rule) if dry_run else store.text_removal.apply(rule))
    finally:
        await store.close()
    return counts
