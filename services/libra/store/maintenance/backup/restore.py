"""Restores a backup into an empty database, or in place of what a database has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import IO, Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.database import Database

from libra.core.errors import FailedPrecondition, Invalid
from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.maintenance.backup.archive import ArchiveReader, Manifest
from libra.store.maintenance.backup.backup import PROCESS_STATE, Say
from libra.store.maintenance.backup.connection import connect
from libra.store.maintenance.schema.versions import RESTORE_MARK, check_readable

BATCH_DOCUMENTS = 1_000
BATCH_BYTES = 8 * 1024 * 1024

IN_USE_SECONDS = 30
"""Services write their heartbeat every 10 seconds."""

RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


def restore_backup(
    url: str,
    database: str,
    file: IO[bytes],
    say: Say,
    *,
    replace: bool,
    in_use_seconds: float = IN_USE_SECONDS,
) -> Manifest:
    """Verify the whole file, then restore it; return its manifest.

    A heartbeat that is younger than `in_use_seconds` shows that services use the database; 0 if none can run.
    An interrupted restore leaves a mark, with which no service starts, and is repeated with `replace`.

    Raises:
        Invalid: the file is damaged, or a newer release wrote it.
        FailedPrecondition: the database has data and `replace` is False, or services use it.
        Unavailable: MongoDB cannot be reached.
    """
    archive = ArchiveReader(file)
    _check_release(archive.manifest)
    say("verifying the file")
    archive.verify()
    with connect(url) as client:
        _check_target(client[database], replace=replace)
        _check_unused(client[database], in_use_seconds)
        _restore(client[database], archive, say)
    return archive.manifest


def _check_release(manifest: Manifest) -> None:
    check_readable(manifest.schema)
    if unknown := manifest.collections.keys() - indexes.declared().keys():
        raise Invalid(
            f"this Libra has no collections {', '.join(sorted(unknown))}: restore with the release that wrote the file",
            field="FILE",
        )


def _check_target(target: Database[Any], *, replace: bool) -> None:
    filled = [
        name for name in indexes.declared() if name not in PROCESS_STATE and target[name].find_one({}, {"_id": 1})
    ]
    if filled and not replace:
        raise FailedPrecondition(
            f"the database {target.name!r} is not empty ({', '.join(filled[:3])}): --replace deletes what it has first"
        )


def _check_unused(target: Database[Any], in_use_seconds: float) -> None:
    heartbeat = target[indexes.HEARTBEATS].find_one({"_id": indexes.WRITE_CHECK})
    if heartbeat and heartbeat["time"] > now() - dt.timedelta(seconds=in_use_seconds):
        raise FailedPrecondition(
            f"services have used the database {target.name!r} within the last {in_use_seconds:.0f} seconds: stop all "
            "of them, wait, and try again"
        )


def _restore(target: Database[Any], archive: ArchiveReader, say: Say) -> None:
    marks = target[indexes.SCHEMA]
    marks.delete_many({})
    marks.insert_one({"_id": RESTORE_MARK})
    for name, models in indexes.declared().items():
        if name == indexes.SCHEMA:
            continue
        say(f"restoring {name}")
        target.drop_collection(name)
        if models:
            target[name].create_indexes(models)
        if name in archive.manifest.collections:
            _insert(target[name], archive.read(name))
    _insert(marks, archive.read(indexes.SCHEMA))
    marks.delete_one({"_id": RESTORE_MARK})


def _insert(collection: Collection[Any], documents: Iterable[bytes]) -> None:
    raw = collection.with_options(codec_options=RAW)
    for batch in _split(documents):
        raw.insert_many([RawBSONDocument(document) for document in batch], ordered=False)


def _split(documents: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the documents in batches that one insert takes."""
    batch: list[bytes] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document)
        if len(batch) == BATCH_DOCUMENTS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
