"""`libra run watch`, and the same for `libra run create --watch` and `libra rejudge --watch`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.exit_codes import INTERRUPTED, NEEDS_ATTENTION
from libra.cli.render import output
from libra.cli.render.response_summary import response_summary
from libra.cli.render.runs.progress import new_reporter
from libra.cli.render.runs.run import run_summary, unscored_trials
from libra.cli.run_lookup import find_run, run_argument
from libra.cli.run_watch import watch
from libra.v1.run_pb2 import CreateRunResponse, Run, RunState

WATCHED_RUN = "libra.run"
"""The key of the watched run's id in click's context."""


def keep_run_on_interrupt(command: Callable[..., Any]) -> Callable[..., Any]:
    """Make Ctrl-C end the command and not the run, and print how to watch the run again."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt:
            run_id = click.get_current_context().meta.get(WATCHED_RUN)
            if run_id is None:
                raise
            commands = f"`libra run watch {run_id}` follows it again, `libra run cancel {run_id}` ends it"
            output.print_note(f"\nThe run continues: {commands}.")
            sys.exit(INTERRUPTED)

    return guarded


@click.command("watch")
@run_argument
@output.json_option
@keep_run_on_interrupt
@with_client
async def watch_run(client: ServiceClient, run_id: str, *, as_json: bool) -> None:
    """Follow a run to its end.

    The exit code is 0 if every trial was answered and judged, and 1 if some were not or the run was cancelled. Ctrl-C
    ends the command; the run continues.
    """
    await follow_run(client, await find_run(client, run_id), as_json=as_json)


async def report_created(client: ServiceClient, reply: CreateRunResponse, *, follow: bool, as_json: bool) -> None:
    """Print the warnings about a new run; then follow it to its end, or print how to follow it."""
    for warning in reply.warnings:
        output.print_note(f"note: {warning}")
    run = reply.run
    if follow:
        return await follow_run(client, run, as_json=as_json)
    if as_json:
        return output.print_json(reply)
    return click.echo(f"run {run.id}: {run.trials:,} trials. `libra run watch {run.id}` follows it to its end.")


async def follow_run(client: ServiceClient, run: Run, *, as_json: bool) -> None:
    """Follow the run to its end and print how it ended; exit with 1 unless every trial was answered and judged."""
    click.get_current_context().meta[WATCHED_RUN] = run.id
    output.print_note(f"run {run.id}")
    with new_reporter() as reporter:
        ended = await watch(client, run, reporter)
    if as_json:
        output.print_json(ended)
    else:
        click.echo(run_summary(ended))
        output.print_paragraphs(response_summary(ended))
    if unscored_trials(ended) or ended.state != RunState.RUN_STATE_FINISHED:
        sys.exit(NEEDS_ATTENTION)
