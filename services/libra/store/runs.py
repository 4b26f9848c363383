"""Runs: their specification and sections, how many trials have been sent, and the lease of the sender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pymongo.errors import DuplicateKeyError

from libra.core.errors import Conflict
from libra.store import indexes
from libra.store.create_time import now
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.proto_documents import Document, from_document, to_document
from libra.v1.run_pb2 import Run, RunState
from libra.v1.task_pb2 import JudgeSpec

RUNNING = RunState.RUN_STATE_RUNNING
FINISHED = RunState.RUN_STATE_FINISHED


@dataclass(frozen=True, slots=True)
class RunSection:
    """The part of a run that is one task under one attack; every model of the run has the same sections."""

    task: str
    """As "name@version"."""

    attack: str
    category: int
    trials: int
    """For each model: samples times epochs."""

    judge: JudgeSpec = field(default_factory=JudgeSpec)
    """The judge of the section, with all its options."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it is stored, without its outcome counts, which are read from the cells."""

    run: Run
    sections: Sequence[RunSection]
    cursors: Mapping[str, int] = field(default_factory=dict)
    """By model, how many of its trials have been sent. A model that is missing here has 0."""

    request_id: str = ""

    request_hash: str = ""
    """The hash of the request that created the run; empty in a record of a version that stored none."""


class RunCollection:
    """Stores every run under its ULID."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.RUNS]
        self._translate_errors = translate_errors

    async def insert(self, record: RunRecord) -> RunRecord:
        """Store a run and return it, or return the run that was stored with the same request_id before.

        A missing create_time is set, and the revision is 1. Raises Conflict if the id is taken.
        """
        document = run_to_document(record)
        with self._translate_errors():
            try:
                await self._collection.insert_one(document)
            except DuplicateKeyError:
                query = {"request_id": record.request_id} if record.request_id else {"_id": None}
                stored = await self._collection.find_one(query)
                if stored is None:
                    raise duplicate_run(record) from None
                return run_from_document(stored)
        return run_from_document(document)

    async def get(self, run: str) -> RunRecord | None:
        """Return one run; None if it is unknown."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": run})
        return run_from_document(document) if document else None

    async def find_by_request_id(self, request_id: str) -> RunRecord | None:
        """Return the run that was created with this request_id; None if there is none."""
        with self._translate_errors():
            document = await self._collection.find_one({"request_id": request_id})
        return run_from_document(document) if document else None

    async def get_state(self, run: str) -> RunState.ValueType | None:
        """Return whether a run is running, finished or cancelled, without reading the rest; None if it is unknown."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": run}, {"run.state": 1})
        return document["run"]["state"] if document else None

    async def list_running(self) -> list[RunRecord]:
        """Return every run that has not ended, the oldest first."""
        with self._translate_errors():
            found = self._collection.find({"run.state": RUNNING}).sort("_id", 1)
            return [run_from_document(document) async for document in found]

    async def get_finished_revisions(self) -> dict[str, int]:
        """Return the revision of every finished run, by id, the oldest first."""
        with self._translate_errors():
            found = self._collection.find({"run.state": FINISHED}, {"run.revision": 1}).sort("_id", 1)
            return {document["_id"]: document["run"]["revision"] async for document in found}

    async def acquire_lease(self, run: str, holder: str, ttl_seconds: float) -> bool:
        """Acquire or renew the lease to send a run's trials; return whether `holder` has it now.

        It expires after `ttl_seconds` by the server's clock, so that the replicas' clocks need not agree. No lease is
        granted on a run that has ended.
        """
        is_free = {"$lt": [{"$ifNull": ["$lease.until", None]}, "$$NOW"]}
        query = {"_id": run, "run.state": RUNNING, "$or": [{"lease.holder": holder}, {"$expr": is_free}]}
        until = {"$add": ["$$NOW", round(ttl_seconds * 1000)]}
        change = [{"$set": {"lease": {"holder": {"$literal": holder}, "until": until}}}]
        with self._translate_errors():
            return (await self._collection.update_one(query, change)).matched_count > 0

    async def release_lease(self, run: str, holder: str) -> None:
        """Release the lease if `holder` has it."""
        with self._translate_errors():
            await self._collection.update_one({"_id": run, "lease.holder": holder}, {"$unset": {"lease": ""}})

    async def advance_cursor(self, run: str, model: str, cursor: int) -> None:
        """Store how many trials of a model have been sent. A cursor never goes back: the higher value stays.

        Raises ValueError if the run has no such model.
        """
        query = {"_id": run, "cursors.model": model}
        with self._translate_errors():
            result = await self._collection.update_one(query, {"$max": {"cursors.$.sent": cursor}})
        if not result.matched_count:
            raise unknown_model(run, model)

    async def mark_ended(self, run: str, state: int) -> bool:
        """Finish or cancel a running run; return False if it had ended before or is unknown.

        Sets its end_time, increments its revision and releases its lease.
        """
        change = {
            "$set": {"run.state": state},
            "$inc": {"run.revision": 1},
            "$currentDate": {"run.end_time": True},
            "$unset": {"lease": ""},
        }
        with self._translate_errors():
            result = await self._collection.update_one({"_id": run, "run.state": RUNNING}, change)
        return result.modified_count > 0

    async def list(self, *, before: str = "", limit: int) -> list[RunRecord]:
        """Return up to `limit` runs, the newest first, those older than the id `before`."""
        with self._translate_errors():
            found = self._collection.find({"_id": {"$lt": before}} if before else {}).sort("_id", -1).limit(limit)
            return [run_from_document(document) async for document in found]


def duplicate_run(record: RunRecord) -> Conflict:
    """Return the error for a run whose id is taken."""
    return Conflict(f"a run {record.run.id!r} exists already", field="run.id")


def unknown_model(run: str, model: str) -> ValueError:
    """Return the error for a model that is not part of the run."""
    return ValueError(f"the run {run!r} has no model {model!r}")


def run_to_document(record: RunRecord) -> Document:
    """Return the document of a new run."""
    run = {"create_time": now()} | to_document(record.run) | {"revision": record.run.revision or 1}
    run.pop("counts", None)
    cursors = dict.fromkeys(record.run.spec.models, 0) | dict(record.cursors)
    document: Document = {
        "_id": record.run.id,
        "run": run,
        "sections": [_section_to_document(section) for section in record.sections],
        "cursors": [{"model": model, "sent": sent} for model, sent in cursors.items()],
    }
    request = {"request_id": record.request_id, "request_hash": record.request_hash}
    return document | {name: value for name, value in request.items() if value}


def run_from_document(document: Document) -> RunRecord:
    """Return the run that a document stores."""
    return RunRecord(
        run=from_document(Run(), document["run"]),
        sections=tuple(_section_from_document(section) for section in document["sections"]),
        cursors={cursor["model"]: cursor["sent"] for cursor in document["cursors"]},
        request_id=document.get("request_id", ""),
        request_hash=document.get("request_hash", ""),
    )


def _section_to_document(section: RunSection) -> Document:
    plain = {name: getattr(section, name) for name in ("task", "attack", "category", "trials")}
    return plain | {"judge": to_document(section.judge)}


def _section_from_document(document: Document) -> RunSection:
    return RunSection(**document | {"judge": from_document(JudgeSpec(), document["judge"])})
