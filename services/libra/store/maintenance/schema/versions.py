"""Reads the schema versions of a database, and refuses those that this release cannot read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.database import Database

from libra.core.errors import LibraError, Unavailable
from libra.store import indexes
from libra.store.documents.proto_documents import Document
from libra.store.maintenance.schema.migrations import FIRST_VERSION, known_version

RESTORE_MARK = "restore"
"""The id of the document that exists while a backup is restored. No collection has this name."""


class IncompatibleSchema(LibraError):
    """A newer release has changed documents so that this one cannot read them; the message names its collections."""


def read_versions(database: Database[Any], session: ClientSession | None = None) -> dict[str, int]:
    """Return for each collection the version that a release must know at least, with the blocking driver."""
    return required_versions(database[indexes.SCHEMA].find({}, session=session))


def required_versions(documents: Iterable[Document]) -> dict[str, int]:
    """Return for each collection the version that a release must know at least; raise Unavailable during a restore."""
    found = {document["_id"]: document.get("readable_by", FIRST_VERSION) for document in documents}
    if RESTORE_MARK in found:
        raise Unavailable(
            "a backup is being restored into the database, or its restore was interrupted: wait for its end, or repeat "
            "it with `libra restore --replace`"
        )
    return found


def check_readable(required: Mapping[str, int]) -> None:
    """Raise IncompatibleSchema if a collection needs a newer release than this one."""
    newer = [
        f"{name} ({version}; this release knows {known_version(name)})"
        for name, version in sorted(required.items())
        if version > known_version(name)
    ]
    if newer:
        raise IncompatibleSchema(
            f"a newer release has changed the documents of {', '.join(newer)}: start that release or a newer one, or "
            "restore a backup from before its upgrade"
        )
