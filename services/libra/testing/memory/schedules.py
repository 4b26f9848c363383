"""Schedules and their firings, in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from libra.store.continuous.schedules import (
    OPEN_STATES,
    TEAM,
    DueSchedule,
    FiringPosition,
    ScheduleRecord,
    date_of,
    duplicate_schedule,
    firing_change,
    firing_from_document,
    firing_to_document,
    schedule_from_document,
    schedule_to_document,
)
from libra.store.documents.proto_documents import Document
from libra.store.documents.team_filter import is_changeable, is_visible, name_taken
from libra.testing.memory.transport import MemoryClient
from libra.v1.schedule_pb2 import Firing, FiringState, Schedule


class MemorySchedules:
    """The twin of `libra.store.continuous.schedules.ScheduleCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._server = client, client.server

    async def insert(self, record: ScheduleRecord) -> ScheduleRecord:
        """Store a schedule and return it; raise Conflict if its name is taken."""
        document = schedule_to_document(record)
        documents = self._server.schedules
        if not await self._client.send(lambda: documents.setdefault(record.schedule.name, document) is document):
            if not is_visible(documents[record.schedule.name], TEAM):
                raise name_taken("schedule.name", record.schedule.name)
            raise duplicate_schedule(record)
        return schedule_from_document(document)

    async def get(self, name: str) -> ScheduleRecord | None:
        """Return one schedule; None if it is unknown."""
        found = await self._select(lambda document: bool(document["_id"] == name))
        return found[0] if found else None

    async def delete(self, name: str) -> bool:
        """Delete a schedule; return whether it existed."""

        def delete() -> bool:
            if not is_changeable(self._server.schedules.get(name, {}), TEAM):
                return False
            return self._server.schedules.pop(name, None) is not None

        return await self._client.send(delete)

    async def list_due(self) -> list[DueSchedule]:
        """Return the schedules whose next time has come, by the server's clock, the longest due first."""

        def find() -> list[DueSchedule]:
            now = self._server.now()
            timed = [each for each in self._server.schedules.values() if "next_time" in each["schedule"]]
            due = [each for each in timed if each["schedule"]["next_time"] <= now]
            due.sort(key=lambda document: document["schedule"]["next_time"])
            return [DueSchedule(schedule_from_document(document), now) for document in due]

        return await self._client.send(find)

    async def list_by_model(self) -> list[ScheduleRecord]:
        """Return the schedules that the registration of a model fires, without the paused ones."""

        def fires(document: Document) -> bool:
            schedule = document["schedule"]
            return bool(schedule.get("on_model")) and not schedule.get("paused")

        return await self._select(fires)

    async def advance(self, schedule: Schedule, next_time: datetime) -> bool:
        """Move the next time of a schedule on; return False if it has changed since it was read."""
        read_time = date_of(schedule.next_time)

        def move(document: Document) -> bool:
            if document["schedule"].get("next_time") != read_time:
                return False
            document["schedule"]["next_time"] = next_time
            return True

        return await self._change(schedule, move)

    async def pause(self, schedule: Schedule) -> bool:
        """Pause a schedule; return False if it is paused or was deleted."""

        def pause(document: Document) -> bool:
            if document["schedule"].get("paused"):
                return False
            document["schedule"]["paused"] = True
            document["schedule"].pop("next_time", None)
            return True

        return await self._change(schedule, pause)

    async def resume(self, schedule: Schedule, start_time: datetime, next_time: datetime | None) -> bool:
        """Resume a schedule; return False if it is not paused or was deleted."""

        def resume(document: Document) -> bool:
            if not document["schedule"].pop("paused", False):
                return False
            document["schedule"] |= {"start_time": start_time} | ({"next_time": next_time} if next_time else {})
            return True

        return await self._change(schedule, resume)

    async def activate(self, record: ScheduleRecord, firing: str) -> bool:
        """Let a firing be the next one to run; return False if another one was activated since the record was read."""

        def activate(document: Document) -> bool:
            if document["active"] != record.active:
                return False
            document["active"] = firing
            return True

        return await self._change(record.schedule, activate)

    async def _select(self, matches: Callable[[Document], bool]) -> list[ScheduleRecord]:
        def find() -> list[ScheduleRecord]:
            documents = [self._server.schedules[name] for name in sorted(self._server.schedules)]
            seen = (document for document in documents if is_visible(document, TEAM))
            return [schedule_from_document(document) for document in seen if matches(document)]

        return await self._client.send(find)

    async def _change(self, schedule: Schedule, change: Callable[[Document], bool]) -> bool:
        def apply() -> bool:
            document = self._server.schedules.get(schedule.name)
            if document is None or document["schedule"]["id"] != schedule.id:
                return False
            return is_changeable(document, TEAM) and change(document)

        return await self._client.send(apply)

    async def list(self, *, after: str = "", limit: int) -> list[ScheduleRecord]:
        """Return up to `limit` schedules in order of name, those after the name `after`."""
        return (await self._select(lambda document: bool(document["_id"] > after)))[:limit]


class MemoryFirings:
    """The twin of `libra.store.continuous.schedules.FiringCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._documents = client, client.server.firings

    async def insert(self, firing: Firing) -> bool:
        """Store a firing; return False if one with its id was stored before, which does not change."""
        document = firing_to_document(firing)
        return await self._client.send(lambda: self._documents.setdefault(firing.id, document) is document)

    async def get(self, firing: str) -> Firing | None:
        """Return one firing; None if it is unknown."""
        found = await self._select(lambda document: bool(document["_id"] == firing))
        return found[0] if found else None

    async def find_existing(self, firings: Collection[str]) -> set[str]:
        """Return those of the ids that have a firing."""
        return await self._client.send(lambda: {name for name in firings if name in self._documents})

    async def list_open(self) -> list[Firing]:
        """Return every firing that has not started, been skipped or failed, the oldest first."""
        return await self._select(lambda document: document["state"] in OPEN_STATES)

    async def settle(self, firing: Firing, states: Sequence[FiringState.ValueType], change: Firing) -> bool:
        """Set the state, reason and run of `change` if the firing is in one of these states; return whether it was."""

        def settle() -> bool:
            document = self._documents.get(firing.id)
            if document is None or document["state"] not in states:
                return False
            document.update(firing_change(change))
            return True

        return await self._client.send(settle)

    async def list_unannounced(self, limit: int) -> list[Firing]:
        """Return failed firings that no notification was stored for yet."""
        return (await self._select(lambda document: "unannounced" in document))[:limit]

    async def mark_announced(self, firing: str) -> None:
        """Record that a notification is stored."""
        await self._client.send(lambda: self._documents[firing].pop("unannounced", None))

    async def _select(self, matches: Callable[[Document], bool]) -> list[Firing]:
        def find() -> list[Firing]:
            seen = (document for document in self._documents.values() if is_visible(document))
            found = [document for document in seen if matches(document)]
            found.sort(key=lambda document: (document["time"], document["_id"]))
            return [firing_from_document(document) for document in found]

        return await self._client.send(find)

    async def list(self, *, schedule: str = "", before: FiringPosition | None = None, limit: int) -> list[Firing]:
        """Return up to `limit` firings of one schedule's name or of all, the newest first, those before a position."""

        def matches(document: Document) -> bool:
            is_before = before is None or (document["time"], document["_id"]) < (before.time, before.id)
            return is_before and schedule in ("", document["schedule"])

        return (await self._select(matches))[::-1][:limit]
