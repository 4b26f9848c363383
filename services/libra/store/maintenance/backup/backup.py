"""Writes a backup of a database that services use meanwhile.

All collections but two are read from one snapshot, so that verdicts agree with the sums of their cells, votes with
their battles, and cursors with verdicts. Completions, the largest collection, are read after the snapshot: they are
only ever added or emptied, so that every verdict of the snapshot finds its completion. This keeps the time for which
MongoDB must keep the snapshot short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, Any

from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure

from libra.core.errors import Unavailable
from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.maintenance.backup.archive import ArchiveWriter, Manifest
from libra.store.maintenance.backup.connection import connect
from libra.store.maintenance.schema.versions import read_versions

PROCESS_STATE = frozenset(
    {indexes.HEARTBEATS, indexes.LEASES, indexes.LEASE_HOLDERS, indexes.MODEL_HEALTH, indexes.PARKED_MODELS}
)
"""Collections about living processes, which say nothing after a restore."""

AFTER_SNAPSHOT = (indexes.COMPLETIONS,)

SNAPSHOT_LOST = frozenset({239, 246})
"""The error codes SnapshotTooOld and SnapshotUnavailable."""

Say = Callable[[str], None]
"""A function that shows a progress message to the user."""


def write_backup(url: str, database: str, file: IO[bytes], say: Say) -> Manifest:
    """Write every collection to a file that is open for writing. Raises Unavailable."""
    archive = ArchiveWriter(file)
    with connect(url) as client:
        create_time = now().isoformat()
        with client.start_session(snapshot=True) as session:
            schema = read_versions(client[database], session)
            for name in indexes.declared():
                if name not in PROCESS_STATE and name not in AFTER_SNAPSHOT:
                    say(f"reading {name}")
                    archive.add(name, _read(client, database, name, session))
        for name in AFTER_SNAPSHOT:
            say(f"reading {name}")
            archive.add(name, _read(client, database, name, None))
    return archive.finish(create_time, schema)


def _read(client: MongoClient[Any], database: str, name: str, session: ClientSession | None) -> Iterator[bytes]:
    """Yield the documents of a collection, in batches as the server sends them: at most 16 MiB each."""
    try:
        yield from client[database][name].find_raw_batches({}, session=session)
    except OperationFailure as error:
        if error.code not in SNAPSHOT_LOST:
            raise
        raise Unavailable(
            f"MongoDB no longer has the snapshot of the backup, while {name} was read: set its parameter "
            "minSnapshotHistoryWindowInSeconds, 300 by default, to more than the backup takes, and start it again"
        ) from error
