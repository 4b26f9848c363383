"""`libra backup` and `libra restore`: all data in one file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from libra.cli.commands.local_system import open_system
from libra.cli.errors import CommandError
from libra.cli.exit_codes import INVALID_INPUT
from libra.cli.param_types import data_option
from libra.cli.render import output
from libra.cli.settings import load
from libra.core.errors import FailedPrecondition
from libra.local import processes, topology
from libra.local.private_files import open_private
from libra.local.system import System
from libra.store.maintenance.backup.archive import Manifest
from libra.store.maintenance.backup.backup import write_backup
from libra.store.maintenance.backup.restore import IN_USE_SECONDS, restore_backup

FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@FILE
@data_option
def backup(file: Path, data: Path | None) -> None:
    """Write everything that Libra stores into the new file FILE.

    Services and runs may go on meanwhile: the file has the state of one moment. It needs MongoDB alone: the one of the
    system on this machine, or LIBRA_MONGO_URL and LIBRA_MONGO_DATABASE. Queues and dead letters are not in it; after a
    restore, runs send the trials that have no verdict again.

    The file contains prompts and answers, and SECRETS: the keys that sign page tokens, webhooks and rounds. Only its
    owner can read it; keep it as carefully as the database. It contains no API keys of models.
    """
    if file.exists():
        raise CommandError(f"FILE: {file} exists; name a new file", INVALID_INPUT)
    url = find_mongo(data)
    partial = file.with_name(file.name + ".part")
    try:
        with open_private(partial, "wb") as opened:
            manifest = write_backup(url, load().mongo_database, opened, output.print_note)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    partial.rename(file)
    click.echo(f"{file} has {_describe(manifest)} ({file.stat().st_size:,} bytes).")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Delete what the database has first.")
@data_option
def restore(file: Path, data: Path | None, *, replace: bool) -> None:
    """Restore the backup FILE, after every part of it was verified.

    Stop the services first: `libra down` on this machine, where the command starts mongod for as long as it needs it
    and empties the queues. With LIBRA_MONGO_URL, stop all services yourself and delete the streams of NATS.

    Without --replace, the database must be empty. Runs that were running at the backup go on after the start of the
    services, and send the trials that have no verdict. An interrupted restore is repeated with --replace; until then no
    service starts.
    """
    system = open_system(data, say=output.print_note)
    with file.open("rb") as opened, _stopped_system(system) as url:
        in_use_seconds = IN_USE_SECONDS if system.settings.mongo_url else 0.0
        manifest = restore_backup(
            url, load().mongo_database, opened, output.print_note, replace=replace, in_use_seconds=in_use_seconds
        )
    click.echo(f"Restored {_describe(manifest)}.")


def find_mongo(data: Path | None) -> str:
    """Return the URL of MongoDB; raise FailedPrecondition if it is the one of a system that does not run."""
    system = open_system(data)
    if not system.settings.mongo_url and topology.MONGO not in system.running():
        raise FailedPrecondition(f"no system runs in {system.folder}: run `libra up`, or set LIBRA_MONGO_URL")
    return system.mongo_url


@contextmanager
def _stopped_system(system: System) -> Iterator[str]:
    """Yield the URL of MongoDB while no service of this machine runs; start mongod for this time if it is ours."""
    if system.settings.mongo_url:
        yield system.mongo_url
        return
    if running := sorted(system.running()):
        raise FailedPrecondition(f"{', '.join(running)} must not run during a restore: run `libra down` first")
    try:
        system.start_part(topology.MONGO)
        yield system.mongo_url
    finally:
        system.stop()
    # The messages in the queues belong to the state before the restore.
    shutil.rmtree(processes.working_folder(system.folder, topology.NATS) / "data", ignore_errors=True)


def _describe(manifest: Manifest) -> str:
    return f"the state of {manifest.create_time}: {manifest.documents:,} documents of {len(manifest.collections)} kinds"
