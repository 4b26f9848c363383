"""`libra up`, `down`, `status` and `logs`: the whole system on this machine."""

from __future__ import annotations

import contextlib
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from libra.cli.errors import CommandError
from libra.cli.exit_codes import INTERRUPTED, INVALID_INPUT, NEEDS_ATTENTION
from libra.cli.param_types import data_folder, data_option
from libra.cli.render import output
from libra.cli.render import status as status_render
from libra.cli.render.format import duration
from libra.cli.render.sanitize import sanitize
from libra.core.errors import Unavailable
from libra.core.setting_names import list_unknown
from libra.local import log_files, topology
from libra.local.access import protection
from libra.local.access.protection import Protection
from libra.local.settings import inherited_environment

if TYPE_CHECKING:
    from libra.local.system import System


@click.command()
@click.option(
    "--replicas",
    type=click.IntRange(1, 8),
    help="Replicas of each service.  [default: as at the last start; 1 at the first]",
)
@click.option(
    "--tls/--no-tls",
    default=None,
    help="Whether the services have TLS and ask for tokens.  [default: as at the last start; --no-tls at the first]",
)
@data_option
def up(data: Path | None, replicas: int | None, *, tls: bool | None) -> None:
    """Start Libra on this machine.

    The command starts nats-server, mongod and the services in the data folder, on free ports that do not change
    later. It returns when every service is ready; the services continue when the terminal is closed. The command is
    safe to repeat: it starts only what does not run. A watchdog restarts the two servers if they end or store nothing
    any more, as after a full disk.

    --tls creates an authority, a certificate and secrets in the data folder, which only its owner can read. Commands
    with this data folder find them there.

    LIBRA_NATS_URL and LIBRA_MONGO_URL replace the two servers with your own. The gateway reads the API keys of models
    from the environment of this command, so set them first; their names match *_API_KEY, *_API_TOKEN or LIBRA_KEY_*,
    or LIBRA_GATEWAY_KEY_VARIABLES. Ctrl-C stops what was started; a second Ctrl-C does so at
    once.
    """
    for warning in list_unknown(inherited_environment()):
        output.print_note(warning)
    system = open_system(data, replicas=replicas, tls=tls, say=output.print_note)
    began = time.monotonic()
    try:
        started = system.up()
        system.start_watchdog()
    except KeyboardInterrupt:
        output.print_note(f"interrupted: {running_parts(system)}")
        sys.exit(INTERRUPTED)
    if not started:
        click.echo(f"Libra is up in {system.folder} already.")
    elif len(started) < len(system.own_parts()):
        click.echo(f"Libra is up again: {', '.join(started)} had ended and was started ({system.folder}).")
    else:
        click.echo(f"Libra is up in {system.folder} after {duration(time.monotonic() - began)}.")
    click.echo(f"The pages are at {system.pages_url}")
    if files := protection.find(system.folder):
        click.echo(access_text(files))
    click.echo("`libra status` shows its parts, `libra down` stops it.")


def access_text(files: Protection) -> str:
    """Return how a system with TLS and tokens is called."""
    return (
        f"The services ask for TLS and a token. `libra` finds both in {files.folder}; other programs need\n"
        f"  LIBRA_TLS_CA_FILE={files.authorities}\n"
        f"  LIBRA_TOKEN_FILE={files.admin_secret}\n"
        "`libra token create NAME --role runner` creates a token with fewer rights, for LIBRA_TOKEN."
    )


def running_parts(system: System) -> str:
    """Return a sentence about the parts that run after an interrupted start."""
    running = [name for name in system.part_names if name in system.running()]
    if not running:
        return f"everything that was started has been stopped; nothing runs in {system.folder}"
    return f"everything that was started has been stopped; still running from before: {', '.join(running)}"


@click.command()
@data_option
def down(data: Path | None) -> None:
    """Stop Libra on this machine. Its data stays.

    The services finish their work or return it to the queue; then the servers stop. An unfinished run continues after
    the next `libra up`.
    """
    system = open_system(data, say=output.print_note)
    stopped = system.stop() if system.folder.exists() else []
    if stopped:
        click.echo(f"Libra is down; its data stays in {system.folder}.")
    else:
        click.echo(f"Nothing ran in {system.folder}.")


@click.command()
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print the states as JSON.")
def status(data: Path | None, *, as_json: bool) -> None:
    """Show the state of each part, and what stands still.

    The exit code is 0 if every part is up, and 1 if one is not.
    """
    system = open_system(data)
    module = importlib.import_module("libra.local.status")
    parts, disk_problem = module.collect(system), module.find_disk_problem(system)
    watched = module.watchdog_runs(system)
    if as_json:
        click.echo(status_render.as_json(parts, disk_problem, watched=watched))
    else:
        status_render.print_parts(parts)
        for note in status_render.notes(parts, disk_problem, watched=watched):
            output.print_note(note)
    if disk_problem or not all(part.is_healthy for part in parts):
        sys.exit(NEEDS_ATTENTION)


@click.command()
@click.argument("part")
@click.option("-f", "--follow", is_flag=True, help="Continue with new lines until Ctrl-C.")
@click.option("-n", "--lines", type=click.IntRange(0), default=200, show_default=True, help="Number of lines to print.")
@data_option
def logs(part: str, lines: int, data: Path | None, *, follow: bool) -> None:
    """Print the last lines of a part's log."""
    if topology.service_of(part) not in (*topology.PARTS, topology.WATCHDOG):
        parts = ", ".join((*topology.PARTS, topology.WATCHDOG))
        raise CommandError(
            f"there is no part {part!r}; the parts are {parts}, and gateway-2 is the second replica of gateway",
            INVALID_INPUT,
        )
    file = log_files.path(data_folder(data), part)
    if not file.exists():
        raise CommandError(f"{part} has no log in {file.parent}: it was never started there", NEEDS_ATTENTION)
    end = log_files.size(file)
    click.echo(sanitize(log_files.tail(file, lines)), nl=False)
    if follow:
        with contextlib.suppress(KeyboardInterrupt):
            for text in log_files.follow(file, end):
                click.echo(sanitize(text), nl=False)


def open_system(
    data: Path | None,
    *,
    replicas: int | None = None,
    tls: bool | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> System:
    """Return the system in the data folder; raise Unavailable if the extra `local` is not installed."""
    try:
        module = importlib.import_module("libra.local.system")
    except ModuleNotFoundError as error:
        raise Unavailable(f"{error.name} is not installed: run `pip install 'libra[local]'`") from None
    counts = dict.fromkeys(topology.SERVICES, replicas) if replicas else None
    system: System = module.System(data_folder(data), replicas=counts, tls=tls, say=say)
    return system
