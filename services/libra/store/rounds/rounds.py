"""Rounds, with the seed and the commitment of each. The text of their samples is stored with the tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pymongo.errors import DuplicateKeyError

from libra.commitment.commitment import TaskDraw
from libra.core.errors import Conflict, NotFound
from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.round_pb2 import RoundState

OPENING = RoundState.ROUND_STATE_OPENING
OPEN = RoundState.ROUND_STATE_OPEN
CLOSED = RoundState.ROUND_STATE_CLOSED

UNKNOWN_TIME = datetime.fromtimestamp(0, UTC)

ABANDONED_AFTER = timedelta(minutes=15)
"""An opening that has not ended in this time was interrupted: its name and its anchors are free again."""


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """A round as it is stored."""

    name: str
    seed: bytes
    """Secret until the round is closed."""

    open_time: datetime = UNKNOWN_TIME
    """Set by the store."""

    state: int = OPENING

    canary: str = ""
    key_hash: str = ""
    """The SHA-256 of the auditor's key, in hexadecimal."""

    commitment: bytes = b""
    merkle_root: str = ""
    public_key: str = ""
    tasks: Sequence[TaskDraw] = ()
    samples: int = 0
    follows: str = ""
    close_time: datetime | None = None
    release_anchors: bool = False
    """Whether the samples that the next round could have used were published as well."""


class RoundCollection:
    """Stores every round under its name."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.ROUNDS]
        self._translate_errors = translate_errors

    async def reserve(self, record: RoundRecord) -> RoundRecord:
        """Store a round as one that is being opened; return it as stored.

        Raises Conflict if its name is taken, or if another round has carried over the same anchors.
        """
        reserved = replace(record, state=OPENING, open_time=now())
        with self._translate_errors():
            try:
                await self._collection.insert_one(round_to_document(reserved))
            except DuplicateKeyError as error:
                is_name = "follows" not in (error.details or {}).get("keyPattern", {})
                raise duplicate_round(record.name) if is_name else taken_anchors(record) from None
        return reserved

    async def publish(self, record: RoundRecord, commitment: bytes) -> RoundRecord:
        """Open a reserved round under its commitment; raise Conflict if its opening was taken for abandoned."""
        this = {"_id": record.name, "state": OPENING, "open_time": record.open_time}
        with self._translate_errors():
            result = await self._collection.update_one(this, {"$set": {"state": OPEN, "commitment": commitment}})
        if not result.modified_count:
            raise duplicate_round(record.name)
        return replace(record, state=OPEN, commitment=commitment)

    async def list_abandoned(self) -> list[RoundRecord]:
        """Return the rounds whose opening was interrupted."""
        query = {"state": OPENING, "open_time": {"$lt": now() - ABANDONED_AFTER}}
        with self._translate_errors():
            return [round_from_document(document) async for document in self._collection.find(query)]

    async def cancel(self, record: RoundRecord) -> None:
        """Delete a round that is being opened."""
        this = {"_id": record.name, "state": OPENING, "open_time": record.open_time}
        with self._translate_errors():
            await self._collection.delete_one(this)

    async def get(self, name: str) -> RoundRecord | None:
        """Return one round; None if it is unknown."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": name})
        return round_from_document(document) if document else None

    async def find_successor(self, name: str) -> RoundRecord | None:
        """Return the round that carries over the anchors of a round; None if there is none."""
        with self._translate_errors():
            document = await self._collection.find_one({"follows": name})
        return round_from_document(document) if document else None

    async def close(self, name: str, *, release_anchors: bool) -> RoundRecord:
        """Close a round if it is open, and return it as stored; raise NotFound for an unknown round.

        With `release_anchors` the next round cannot use its reserved samples; this cannot be undone.
        """
        with self._translate_errors():
            closing = {"$set": {"state": CLOSED, "close_time": now()}}
            await self._collection.update_one({"_id": name, "state": OPEN}, closing)
            if release_anchors:
                await self._collection.update_one({"_id": name, "state": CLOSED}, {"$set": {"release_anchors": True}})
        record = await self.get(name)
        if record is None:
            raise unknown_round(name)
        return record

    async def reopen(self, name: str) -> None:
        """Undo `close` before anything was published."""
        change: Document = {"$set": {"state": OPEN, "release_anchors": False}, "$unset": {"close_time": ""}}
        with self._translate_errors():
            await self._collection.update_one({"_id": name, "state": CLOSED}, change)

    async def list(self, *, before: str = "", limit: int) -> list[RoundRecord]:
        """Return up to `limit` rounds, the newest first, those older than the round `before`."""
        query: Document = {}
        with self._translate_errors():
            if before and (last := await self._collection.find_one({"_id": before}, {"open_time": 1})):
                same_time = {"open_time": last["open_time"], "_id": {"$lt": before}}
                query = {"$or": [{"open_time": {"$lt": last["open_time"]}}, same_time]}
            found = self._collection.find(query).sort([("open_time", -1), ("_id", -1)]).limit(limit)
            return [round_from_document(document) async for document in found]

    async def list_task_names(self) -> set[str]:
        """Return the names of all tasks that a round has drawn from."""
        with self._translate_errors():
            return set(await self._collection.distinct("tasks.task"))


def unknown_round(name: str) -> NotFound:
    """Return the error for a name that no round has."""
    return NotFound(f"there is no round {name!r}; `libra round list` shows all", field="name")


def duplicate_round(name: str) -> Conflict:
    """Return the error for a name that is taken."""
    return Conflict(
        f"there is a round {name!r} already, or it is being opened; `libra round list` shows all", field="name"
    )


def taken_anchors(record: RoundRecord) -> Conflict:
    """Return the error for anchors that another round carried over first."""
    return Conflict(
        f"another round was opened after {record.follows} meanwhile; open {record.name} again to follow that one",
        field="name",
    )


def round_to_document(record: RoundRecord) -> Document:
    """Return the document of a round."""
    names = ("state", "open_time", "seed", "canary", "key_hash", "commitment", "merkle_root", "public_key", "samples")
    document: Document = {"_id": record.name} | {name: getattr(record, name) for name in names}
    document["tasks"] = [_task_to_document(task) for task in record.tasks]
    document["release_anchors"] = record.release_anchors
    optional = {"follows": record.follows, "close_time": record.close_time}
    return document | {name: value for name, value in optional.items() if value}


def round_from_document(document: Document) -> RoundRecord:
    """Return the round that a document stores."""
    fields = {name: value for name, value in document.items() if name not in ("_id", "tasks")}
    tasks = tuple(TaskDraw(**task) for task in document["tasks"])
    return RoundRecord(name=document["_id"], tasks=tasks, **fields)


def _task_to_document(task: TaskDraw) -> Document:
    names = ("task", "source", "samples", "anchors", "reserved")
    return {name: getattr(task, name) for name in names} | {"pool": [list(each) for each in task.pool]}
