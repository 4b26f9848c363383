"""Runs: what was asked for, how far it has been sent, and who is sending it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pymongo.errors import DuplicateKeyError

from libra.errors import Conflict
from libra.store import indexes
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.proto_documents import Document, from_document, now, to_document
from libra.v1.run_pb2 import Run, RunState
from libra.v1.task_pb2 import JudgeSpec

RUNNING = RunState.RUN_STATE_RUNNING
FINISHED = RunState.RUN_STATE_FINISHED


@dataclass(frozen=True, slots=True)
class RunSection:
    """The part of a run that is one task under one attack; every model of the run goes through the same sections."""

    task: str
    """As "name@version"."""

    attack: str
    category: int
    trials: int
    """For each model: samples times epochs."""

    judge: JudgeSpec = field(default_factory=JudgeSpec)
    """Who is to judge, with all it needs to know."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it is kept; its counts are not, they are the cells' to tell."""

    run: Run
    sections: Sequence[RunSection]
    cursors: Mapping[str, int] = field(default_factory=dict)
    """By model, how many trials of it have been sent. A model that is not there has 0."""

    request_id: str = ""


class RunCollection:
    """Every run, by its ULID."""

    def __init__(self, database: Database, door: ErrorTranslator) -> None:
        self._collection = database[indexes.RUNS]
        self._door = door

    async def insert(self, record: RunRecord) -> RunRecord:
        """Store a run and return it, or the run that its request_id was given to before.

        Its create_time is set unless it is, and its revision is 1. Conflict if the id is taken.
        """
        document = run_to_document(record)
        with self._door():
            try:
                await self._collection.insert_one(document)
            except DuplicateKeyError:
                asked = {"request_id": record.request_id} if record.request_id else {"_id": None}
                kept = await self._collection.find_one(asked)
                if kept is None:
                    raise Conflict(f"there is a run {record.run.id!r} already", field="run.id") from None
                return run_from_document(kept)
        return run_from_document(document)

    async def get(self, run: str) -> RunRecord | None:
        """Return one run."""
        with self._door():
            document = await self._collection.find_one({"_id": run})
        return run_from_document(document) if document else None

    async def find_by_request_id(self, request_id: str) -> RunRecord | None:
        """Return the run that was created under this request_id."""
        with self._door():
            document = await self._collection.find_one({"request_id": request_id})
        return run_from_document(document) if document else None

    async def get_state(self, run: str) -> RunState.ValueType | None:
        """Return whether a run is running, finished or cancelled, and nothing else of it; None if it is unknown."""
        with self._door():
            document = await self._collection.find_one({"_id": run}, {"run.state": 1})
        return document["run"]["state"] if document else None

    async def list_running(self) -> list[RunRecord]:
        """Return every run that has not ended, the oldest first."""
        with self._door():
            return [
                run_from_document(document)
                async for document in self._collection.find({"run.state": RUNNING}).sort("_id", 1)
            ]

    async def get_finished_revisions(self) -> dict[str, int]:
        """Return the revision of every run that finished, by id, the oldest first."""
        with self._door():
            found = self._collection.find({"run.state": FINISHED}, {"run.revision": 1}).sort("_id", 1)
            return {document["_id"]: document["run"]["revision"] async for document in found}

    async def acquire_lease(self, run: str, holder: str, ttl_seconds: float) -> bool:
        """Take or renew the right to send a run's trials; return whether `holder` has it now.

        It lapses after `ttl_seconds` by the server's clock, so that the replicas' clocks need not agree. Nobody gets a run
        that has ended.
        """
        free = {"$lt": [{"$ifNull": ["$lease.until", None]}, "$$NOW"]}
        wanted = {"_id": run, "run.state": RUNNING, "$or": [{"lease.holder": holder}, {"$expr": free}]}
        until = {"$add": ["$$NOW", round(ttl_seconds * 1000)]}
        change = [{"$set": {"lease": {"holder": {"$literal": holder}, "until": until}}}]
        with self._door():
            return (await self._collection.update_one(wanted, change)).matched_count > 0

    async def release_lease(self, run: str, holder: str) -> None:
        """Give the right back, if `holder` has it."""
        with self._door():
            await self._collection.update_one({"_id": run, "lease.holder": holder}, {"$unset": {"lease": ""}})

    async def advance_cursor(self, run: str, model: str, cursor: int) -> None:
        """Note how many trials of a model have been sent. A cursor never goes back: the higher one stays.

        ValueError if the run has no such model.
        """
        wanted = {"_id": run, "cursors.model": model}
        with self._door():
            result = await self._collection.update_one(wanted, {"$max": {"cursors.$.sent": cursor}})
        if not result.matched_count:
            raise ValueError(f"the run {run!r} has no model {model!r}")

    async def mark_ended(self, run: str, state: int) -> bool:
        """Finish or cancel a run that is running; return False if it had ended, or is unknown.

        Sets its end_time, raises its revision and frees its lease.
        """
        change = {
            "$set": {"run.state": state},
            "$inc": {"run.revision": 1},
            "$currentDate": {"run.end_time": True},
            "$unset": {"lease": ""},
        }
        with self._door():
            result = await self._collection.update_one({"_id": run, "run.state": RUNNING}, change)
        return result.modified_count > 0

    async def list(self, *, before: str = "", limit: int) -> list[RunRecord]:
        """Return up to `limit` runs, the newest first, those older than the id `before`."""
        with self._door():
            found = self._collection.find({"_id": {"$lt": before}} if before else {}).sort("_id", -1).limit(limit)
            return [run_from_document(document) async for document in found]


def run_to_document(record: RunRecord) -> Document:
    """Return the run as it is kept when it is new."""
    run = {"create_time": now()} | to_document(record.run) | {"revision": record.run.revision or 1}
    run.pop("counts", None)
    cursors = dict.fromkeys(record.run.spec.models, 0) | dict(record.cursors)
    document: Document = {
        "_id": record.run.id,
        "run": run,
        "sections": [_section_document(section) for section in record.sections],
        "cursors": [{"model": model, "sent": sent} for model, sent in cursors.items()],
    }
    return document | ({"request_id": record.request_id} if record.request_id else {})


def run_from_document(document: Document) -> RunRecord:
    """Return the run that a document holds."""
    return RunRecord(
        run=from_document(Run(), document["run"]),
        sections=tuple(_section(section) for section in document["sections"]),
        cursors={cursor["model"]: cursor["sent"] for cursor in document["cursors"]},
        request_id=document.get("request_id", ""),
    )


def _section_document(section: RunSection) -> Document:
    plain = {name: getattr(section, name) for name in ("task", "attack", "category", "trials")}
    return plain | {"judge": to_document(section.judge)}


def _section(document: Document) -> RunSection:
    return RunSection(**document | {"judge": from_document(JudgeSpec(), document["judge"])})
