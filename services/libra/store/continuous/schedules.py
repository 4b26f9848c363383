"""Schedules, and their firings: each time or event at which a schedule was due, stored once under its own id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from pymongo.errors import DuplicateKeyError

from libra.core.errors import Conflict
from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.documents.team_filter import changeable, name_taken, visible
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.schedule_pb2 import Firing, FiringState, Schedule

OPEN_STATES = (FiringState.FIRING_STATE_PENDING, FiringState.FIRING_STATE_STARTING)
FAILED = FiringState.FIRING_STATE_FAILED
TEAM = "schedule.team"
"""The path of the owner in the document of a schedule."""


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """A schedule as it is stored."""

    schedule: Schedule

    token_hash: str = ""
    """The SHA-256 of the token that triggers it, in hex digits; empty if it cannot be triggered."""

    active: str = ""
    """The id of the firing whose run must end before the next one starts; empty before the first firing, and for a
    schedule whose runs may overlap."""


@dataclass(frozen=True, slots=True)
class DueSchedule:
    """A schedule whose next time has come."""

    record: ScheduleRecord
    now: datetime
    """The time of the server's clock, so that the clocks of the replicas need not agree."""


@dataclass(frozen=True, slots=True)
class FiringPosition:
    """The place of a firing in a list: firings sort by time, then by id."""

    time: datetime
    id: str


class ScheduleCollection:
    """Stores every schedule under its name. A task sees and changes only the schedules that its team does."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.SCHEDULES]
        self._translate_errors = translate_errors

    async def insert(self, record: ScheduleRecord) -> ScheduleRecord:
        """Store a schedule and return it; raise Conflict if its name is taken."""
        document = schedule_to_document(record)
        with self._translate_errors():
            try:
                await self._collection.insert_one(document)
            except DuplicateKeyError:
                if await self.get(record.schedule.name) is None:
                    raise name_taken("schedule.name", record.schedule.name) from None
                raise duplicate_schedule(record) from None
        return schedule_from_document(document)

    async def get(self, name: str) -> ScheduleRecord | None:
        """Return one schedule; None if it is unknown."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": name} | visible(TEAM))
        return schedule_from_document(document) if document else None

    async def delete(self, name: str) -> bool:
        """Delete a schedule; return whether it existed."""
        with self._translate_errors():
            return (await self._collection.delete_one({"_id": name} | changeable(TEAM))).deleted_count > 0

    async def list_due(self) -> list[DueSchedule]:
        """Return the schedules whose next time has come, by the server's clock, the longest due first."""
        due = {"$expr": {"$lte": ["$schedule.next_time", "$$NOW"]}, "schedule.next_time": {"$type": "date"}}
        pipeline: list[Document] = [
            {"$match": due},
            {"$sort": {"schedule.next_time": 1}},
            {"$set": {"now": "$$NOW"}},
        ]
        with self._translate_errors():
            found = self._collection.aggregate(pipeline)
            return [DueSchedule(schedule_from_document(document), document["now"]) async for document in found]

    async def list_by_model(self) -> list[ScheduleRecord]:
        """Return the schedules that the registration of a model fires, without the paused ones."""
        query = {"schedule.on_model": {"$gt": ""}, "schedule.paused": {"$ne": True}}
        with self._translate_errors():
            return [schedule_from_document(document) async for document in self._collection.find(query).sort("_id", 1)]

    async def advance(self, schedule: Schedule, next_time: datetime) -> bool:
        """Move the next time of a schedule on; return False if it has changed since it was read."""
        query = _unchanged(schedule) | {"schedule.next_time": date_of(schedule.next_time)}
        with self._translate_errors():
            result = await self._collection.update_one(query, {"$set": {"schedule.next_time": next_time}})
        return result.matched_count > 0

    async def pause(self, schedule: Schedule) -> bool:
        """Pause a schedule; return False if it is paused or was deleted."""
        change = {"$set": {"schedule.paused": True}, "$unset": {"schedule.next_time": ""}}
        query = _unchanged(schedule) | changeable(TEAM) | {"schedule.paused": {"$ne": True}}
        with self._translate_errors():
            return (await self._collection.update_one(query, change)).matched_count > 0

    async def resume(self, schedule: Schedule, start_time: datetime, next_time: datetime | None) -> bool:
        """Resume a schedule; return False if it is not paused or was deleted."""
        fields = {"schedule.start_time": start_time} | ({"schedule.next_time": next_time} if next_time else {})
        query = _unchanged(schedule) | changeable(TEAM) | {"schedule.paused": True}
        with self._translate_errors():
            result = await self._collection.update_one(query, {"$set": fields, "$unset": {"schedule.paused": ""}})
        return result.matched_count > 0

    async def activate(self, record: ScheduleRecord, firing: str) -> bool:
        """Let a firing be the next one to run; return False if another one was activated since the record was read."""
        query = _unchanged(record.schedule) | {"active": record.active}
        with self._translate_errors():
            return (await self._collection.update_one(query, {"$set": {"active": firing}})).matched_count > 0

    async def list(self, *, after: str = "", limit: int) -> list[ScheduleRecord]:
        """Return up to `limit` schedules in order of name, those after the name `after`."""
        with self._translate_errors():
            found = self._collection.find({"_id": {"$gt": after}} | visible(TEAM)).sort("_id", 1).limit(limit)
            return [schedule_from_document(document) async for document in found]


class FiringCollection:
    """Stores every firing under its id. A firing is never deleted: its id must stay taken.

    A task sees only the firings of the schedules that its team owns or shares.
    """

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.FIRINGS]
        self._translate_errors = translate_errors

    async def insert(self, firing: Firing) -> bool:
        """Store a firing; return False if one with its id was stored before, which does not change."""
        with self._translate_errors():
            try:
                await self._collection.insert_one(firing_to_document(firing))
            except DuplicateKeyError:
                return False
        return True

    async def get(self, firing: str) -> Firing | None:
        """Return one firing; None if it is unknown."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": firing} | visible())
        return firing_from_document(document) if document else None

    async def find_existing(self, firings: Collection[str]) -> set[str]:
        """Return those of the ids that have a firing."""
        with self._translate_errors():
            found = self._collection.find({"_id": {"$in": sorted(firings)}}, {"_id": 1})
            return {document["_id"] async for document in found}

    async def list_open(self) -> list[Firing]:
        """Return every firing that has not started, been skipped or failed, the oldest first."""
        order = [("time", 1), ("_id", 1)]
        with self._translate_errors():
            found = self._collection.find({"state": {"$in": list(OPEN_STATES)}}).sort(order)
            return [firing_from_document(document) async for document in found]

    async def settle(self, firing: Firing, states: Sequence[FiringState.ValueType], change: Firing) -> bool:
        """Set the state, reason and run of `change` if the firing is in one of these states; return whether it was.

        A firing that fails is marked for a notification by the same write.
        """
        fields = firing_change(change)
        with self._translate_errors():
            result = await self._collection.update_one(
                {"_id": firing.id, "state": {"$in": list(states)}}, {"$set": fields}
            )
        return result.matched_count > 0

    async def list_unannounced(self, limit: int) -> list[Firing]:
        """Return failed firings that no notification was stored for yet."""
        with self._translate_errors():
            found = self._collection.find({"unannounced": True}).limit(limit)
            return [firing_from_document(document) async for document in found]

    async def mark_announced(self, firing: str) -> None:
        """Record that a notification is stored."""
        with self._translate_errors():
            await self._collection.update_one({"_id": firing}, {"$unset": {"unannounced": ""}})

    async def list(self, *, schedule: str = "", before: FiringPosition | None = None, limit: int) -> list[Firing]:
        """Return up to `limit` firings of one schedule's name or of all, the newest first, those before a position."""
        query: Document = ({"schedule": schedule} if schedule else {}) | visible()
        if before:
            query["$or"] = [{"time": {"$lt": before.time}}, {"time": before.time, "_id": {"$lt": before.id}}]
        with self._translate_errors():
            found = self._collection.find(query).sort([("time", -1), ("_id", -1)]).limit(limit)
            return [firing_from_document(document) async for document in found]


def duplicate_schedule(record: ScheduleRecord) -> Conflict:
    """Return the error for a schedule whose name is taken."""
    name = record.schedule.name
    return Conflict(
        f"a schedule {name!r} exists with another content: delete it first (`libra schedule delete {name}`), or use "
        "another name",
        field="schedule.name",
    )


def date_of(timestamp: Timestamp) -> datetime:
    """Return a timestamp as it is stored."""
    return timestamp.ToDatetime(tzinfo=UTC)


def firing_change(change: Firing) -> Document:
    """Return the fields of a firing's document that a change sets."""
    fields: Document = {"state": change.state, "reason": change.reason, "run": change.run}
    return fields | ({"unannounced": True} if change.state == FAILED else {})


def schedule_to_document(record: ScheduleRecord) -> Document:
    """Return the document of a new schedule."""
    schedule = {"create_time": now()} | to_document(record.schedule)
    return {
        "_id": record.schedule.name,
        "schedule": schedule,
        "token_hash": record.token_hash,
        "active": record.active,
    }


def schedule_from_document(document: Document) -> ScheduleRecord:
    """Return the schedule that a document stores."""
    schedule = from_document(Schedule(), document["schedule"])
    return ScheduleRecord(schedule, document["token_hash"], document["active"])


def firing_to_document(firing: Firing) -> Document:
    """Return the document of a new firing."""
    document = to_document(firing) | firing_change(firing)
    return {"_id": document.pop("id"), **document}


def firing_from_document(document: Document) -> Firing:
    """Return the firing that a document stores."""
    return from_document(Firing(id=document["_id"]), document)


def _unchanged(schedule: Schedule) -> Document:
    """Return the query for this schedule, and not one that was created later under the same name."""
    return {"_id": schedule.name, "schedule.id": schedule.id}
