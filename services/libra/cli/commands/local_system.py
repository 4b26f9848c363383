"""`libra up`, `status`, `logs` and `down`: the whole system on this machine."""

from __future__ import annotations

import contextlib
import importlib
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from libra.cli import settings
from libra.cli.errors import Failure
from libra.cli.render import output
from libra.cli.render.sanitize import duration, plain, size
from libra.errors import Unavailable
from libra.local import log_files, topology

if TYPE_CHECKING:
    from libra.local.system import System

SOMETHING_IS_DOWN = 1
INTERRUPTED = 130


def data_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command `--data`."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help="The data folder; .libra in the working directory unless LIBRA_DATA says otherwise.",
    )(command)


@click.command()
@click.option(
    "--replicas",
    type=click.IntRange(1, 8),
    help="Of each service; as many as the last time unless given, one at first.",
)
@data_option
def up(data: Path | None, replicas: int | None) -> None:
    """Start the whole system on this machine.

    Starts nats-server, mongod and the five services in the data folder, on free ports that they keep, and returns when every
    service is ready. They go on when the terminal is closed. What runs already is left alone and what has died is started
    again, so that `libra up` is safe to repeat.

    A server of your own is used in place of one of these where LIBRA_NATS_URL or LIBRA_MONGO_URL is set. The gateway reads
    the keys of models from the environment of this very command: set them first. Ctrl-C ends what was started again; once more
    Ctrl-C does so at once.
    """
    system = open_system(data, replicas=replicas, say=output.note)
    began = time.monotonic()
    try:
        started = system.up()
    except KeyboardInterrupt:
        output.note(f"interrupted: {what_is_left(system)}")
        sys.exit(INTERRUPTED)
    if not started:
        click.echo(f"Libra is up in {system.folder} already.")
    elif len(started) < len(system.own_parts()):
        click.echo(f"Libra is up again: {', '.join(started)} had ended and was started ({system.folder}).")
    else:
        click.echo(f"Libra is up in {system.folder} after {duration(time.monotonic() - began)}.")
    click.echo("`libra status` shows its parts, `libra down` ends it.")


def what_is_left(system: System) -> str:
    """Return, in words, what runs after a start that was broken off."""
    left = [name for name in system.part_names if name in system.running()]
    if not left:
        return f"what was started has been ended; nothing runs in {system.folder}"
    return f"what was started has been ended; what ran before goes on: {', '.join(left)}"


@click.command()
@data_option
def down(data: Path | None) -> None:
    """End the system on this machine; its data stays.

    The services finish the work in hand or hand it back, then the servers end. A run that is not finished goes on at the
    next `libra up`.
    """
    system = open_system(data, say=output.note)
    ended = system.stop() if system.folder.exists() else []
    click.echo(f"Libra is down; its data stays in {system.folder}." if ended else f"Nothing ran in {system.folder}.")


@click.command()
@data_option
def status(data: Path | None) -> None:
    """Show the parts of the system on this machine.

    Exits 0 if every part is up, 1 if one is not.
    """
    system = open_system(data)
    found = importlib.import_module("libra.local.status").collect(system)
    table = output.columns(
        "part", "state", "pid", "address", "since", "memory", right=("pid", "memory"), whole=("part",)
    )
    for part in found:
        since = f"{datetime.fromtimestamp(part.since).astimezone():%Y-%m-%d %H:%M:%S}" if part.since else ""
        memory = size(part.memory_bytes) if part.memory_bytes else ""
        style = "" if part.is_healthy else "red"
        output.add(table, part.name, part.state, part.pid or "", part.address, since, memory, style=style)
    output.show(table, empty="")
    if not all(part.is_healthy for part in found):
        output.note("something is not up: `libra up` starts it, `libra logs PART` may tell why it ended")
        sys.exit(SOMETHING_IS_DOWN)


@click.command()
@click.argument("part")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option(
    "-n", "--lines", type=click.IntRange(0), default=200, show_default=True, help="How many of the last lines."
)
@data_option
def logs(part: str, lines: int, data: Path | None, *, follow: bool) -> None:
    """Print the end of a part's log."""
    if topology.service_of(part) not in topology.PARTS:
        raise Failure(
            f"there is no part {part!r}; there are {', '.join(topology.PARTS)}, and gateway-2 is a second replica", 2
        )
    file = log_files.path(data_folder(data), part)
    if not file.exists():
        raise Failure(f"{part} has no log in {file.parent}: it was never started there", 1)
    end = log_files.size(file)
    click.echo(plain(log_files.tail(file, lines)), nl=False)
    if follow:
        with contextlib.suppress(KeyboardInterrupt):
            for text in log_files.follow(file, end):
                click.echo(plain(text), nl=False)


def data_folder(data: Path | None) -> Path:
    """Return the data folder: the command's own, else that of `libra --data`, else the environment's."""
    return data or click.get_current_context().find_object(Path) or settings.load().data


def open_system(
    data: Path | None, *, replicas: int | None = None, say: Callable[[str], None] = lambda _: None
) -> System:
    """Return the system in the data folder; raise Unavailable where the extra that runs one is not installed."""
    try:
        module = importlib.import_module("libra.local.system")
    except ModuleNotFoundError as error:
        raise Unavailable(f"{error.name} is not installed here: run `pip install 'libra[local]'`") from None
    each = dict.fromkeys(topology.SERVICES, replicas) if replicas else None
    system: System = module.System(data_folder(data), replicas=each, say=say)
    return system
