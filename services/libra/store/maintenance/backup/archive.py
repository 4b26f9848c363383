"""The file of a backup: a zip archive with a BSON file for each collection, and a manifest as its last member.

A BSON file holds the documents one after another, as mongodump writes them, so that a backup can be read without Libra.
Neither side holds more than a few megabytes in memory.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import IO, Any

from libra.core.errors import Invalid

FORMAT_VERSION = 1
"""Increased whenever an earlier Libra could not read the file."""

MANIFEST = "manifest.json"
SUFFIX = ".bson"
MAX_MANIFEST_BYTES = 1024 * 1024

COMPRESSION_LEVEL = 3
"""Higher levels of zlib take twice the time for some percent of the size."""

LENGTH_BYTES = 4
MIN_DOCUMENT_BYTES, MAX_DOCUMENT_BYTES = 5, 16 * 1024 * 1024 + 16 * 1024
"""Limits of MongoDB's documents, with the room that it adds for its own fields."""


@dataclass(frozen=True, slots=True)
class CollectionSummary:
    """The entry of a collection in the manifest."""

    documents: int
    bytes: int
    sha256: str
    """Of the uncompressed documents, in hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The table of contents of a backup."""

    create_time: str
    """The moment whose state the backup has, in UTC and ISO 8601."""

    schema: Mapping[str, int]
    """The schema version of each collection."""

    collections: Mapping[str, CollectionSummary]
    format_version: int = FORMAT_VERSION

    @property
    def documents(self) -> int:
        """The documents of all collections."""
        return sum(each.documents for each in self.collections.values())


class ArchiveWriter:
    """Writes a backup to a binary file that is open for writing."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION_LEVEL)
        self._collections: dict[str, CollectionSummary] = {}

    def add(self, name: str, batches: Iterable[bytes]) -> None:
        """Write a collection; each batch is any number of whole documents."""
        digest, documents, size = hashlib.sha256(), 0, 0
        with self._zip.open(name + SUFFIX, "w", force_zip64=True) as member:
            for batch in batches:
                member.write(batch)
                digest.update(batch)
                documents += count_documents(batch)
                size += len(batch)
        self._collections[name] = CollectionSummary(documents, size, digest.hexdigest())

    def finish(self, create_time: str, schema: Mapping[str, int]) -> Manifest:
        """Write the manifest, without which the file is no backup, and return it."""
        manifest = Manifest(create_time, schema, self._collections)
        self._zip.writestr(MANIFEST, json.dumps(asdict(manifest), indent=2) + "\n")
        self._zip.close()
        return manifest


class ArchiveReader:
    """Reads a backup from a binary file. Every method raises Invalid for a file that is damaged."""

    def __init__(self, file: IO[bytes]) -> None:
        with _report_damage():
            self._zip = zipfile.ZipFile(file)
            self.manifest = _parse_manifest(self._read_manifest())

    def verify(self) -> None:
        """Read the whole file and compare every collection with the manifest."""
        names = {name.removesuffix(SUFFIX) for name in self._zip.namelist()} - {MANIFEST}
        if names != self.manifest.collections.keys():
            raise damaged("its collections are not those of its manifest")
        for name, expected in self.manifest.collections.items():
            digest, documents, size = hashlib.sha256(), 0, 0
            for document in self.read(name):
                digest.update(document)
                documents += 1
                size += len(document)
            if CollectionSummary(documents, size, digest.hexdigest()) != expected:
                raise damaged(f"the collection {name} differs from the manifest")

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the documents of a collection, one at a time."""
        with _report_damage(), self._zip.open(name + SUFFIX) as member:
            while header := member.read(LENGTH_BYTES):
                yield header + _read_rest(member, header)

    def _read_manifest(self) -> bytes:
        with self._zip.open(MANIFEST) as member:
            return member.read(MAX_MANIFEST_BYTES)


def count_documents(batch: bytes) -> int:
    """Return how many documents follow each other in a batch."""
    count, position = 0, 0
    while position < len(batch):
        (length,) = struct.unpack_from("<i", batch, position)
        position += length
        count += 1
    return count


def damaged(reason: str) -> Invalid:
    """Return the error for a file that cannot be restored."""
    return Invalid(f"the backup is damaged or incomplete, and nothing was restored: {reason}", field="FILE")


def _read_rest(member: IO[bytes], header: bytes) -> bytes:
    length = int.from_bytes(header, "little")
    if len(header) < LENGTH_BYTES or not MIN_DOCUMENT_BYTES <= length <= MAX_DOCUMENT_BYTES:
        raise damaged("a document has an impossible length")
    rest = member.read(length - LENGTH_BYTES)
    if len(rest) != length - LENGTH_BYTES:
        raise damaged("a document is cut off")
    return rest


def _parse_manifest(text: bytes) -> Manifest:
    found: dict[str, Any] = json.loads(text)
    if (version := found["format_version"]) != FORMAT_VERSION:
        raise Invalid(
            f"the backup has format {version}, and this Libra reads format {FORMAT_VERSION}: restore it with the "
            "release that wrote it",
            field="FILE",
        )
    collections = {name: CollectionSummary(**each) for name, each in found["collections"].items()}
    return Manifest(found["create_time"], found["schema"], collections)


@contextmanager
def _report_damage() -> Iterator[None]:
    """Translate the errors of a damaged archive."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise damaged(str(error)) from None
    except (KeyError, TypeError, AttributeError, ValueError, NotImplementedError, RuntimeError) as error:
        raise damaged(f"its manifest or a member cannot be read ({error!r})") from None
