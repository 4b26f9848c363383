"""Declares every migration as data, in the order in which they run.

A migration only expands: the release before it still reads and writes the changed documents, because its replicas run
beside the new ones during an upgrade. What no release reads any more is removed by a migration of a later release, with
a higher `readable_by`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libra.store import indexes
from libra.store.documents.proto_documents import Document

FIRST_VERSION = 1
"""The version of collections that no migration has changed."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One change of the documents of a collection, made in batches by an update that may be repeated."""

    collection: str
    version: int
    """The version of the collection once every document is changed."""

    readable_by: int
    """The oldest version that a release must know to read and write the collection from the start of the change on."""

    selector: Document
    """Selects the documents that are not changed yet; a changed document no longer matches."""

    change: Document | Sequence[Document]


MIGRATIONS = (
    # Every run counts its changes from 0 on, so that the field can be used in a query.
    Migration(indexes.RUNS, 2, 1, {"changes": {"$exists": False}}, {"$set": {"changes": 0}}),
)


def known_version(collection: str, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Return the newest version of a collection that this release knows."""
    return max((each.version for each in migrations if each.collection == collection), default=FIRST_VERSION)
