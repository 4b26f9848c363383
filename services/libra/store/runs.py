"""Runs: their specification and sections, how many trials have been sent, and the lease of the sender."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pymongo.errors import DuplicateKeyError

from libra.core.access import team_scope
from libra.core.errors import Conflict
from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.documents.team_filter import changeable, visible
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.run_pb2 import Run, RunState
from libra.v1.task_pb2 import JudgeSpec

RUNNING = RunState.RUN_STATE_RUNNING
FINISHED = RunState.RUN_STATE_FINISHED
CANCELLED = RunState.RUN_STATE_CANCELLED
PAUSED = RunState.RUN_STATE_PAUSED
BUDGET_EXHAUSTED = RunState.RUN_STATE_BUDGET_EXHAUSTED
STOPPED = frozenset({PAUSED, BUDGET_EXHAUSTED})
"""States of a run that sends no trials and can be resumed."""

TEAM = "run.team"
"""The path of the owner in a document."""

NEWEST_RUNS = 100
"""Runs among which the one is looked for that ended last."""


@dataclass(frozen=True, slots=True)
class RunSection:
    """The part of a run that is one task under one attack; every model of the run has the same sections."""

    task: str
    """As "name@version"."""

    attack: str
    category: int
    trials: int
    """Number for each model: samples times epochs."""

    judge: JudgeSpec = field(default_factory=JudgeSpec)
    """The judge of the section, with all its options."""

    balanced_by: str = ""
    """The field of the samples that holds the gold label, if the score is balanced over it."""

    sealed: bool = False
    """Whether its samples belong to a round and must not be quoted."""


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

    changes: int = 0
    """Rise of the revision by changes other than verdicts and the end: pauses, retries, budgets. It is not 0
    for a run that was stopped and resumed."""


class RunCollection:
    """Stores every run under its ULID. A task sees and changes only the runs that its team does."""

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
            document = await self._collection.find_one({"_id": run} | visible(TEAM))
        return run_from_document(document) if document else None

    async def find_by_request_id(self, request_id: str) -> RunRecord | None:
        """Return the run that was created with this request_id; None if there is none."""
        with self._translate_errors():
            document = await self._collection.find_one({"request_id": request_id} | visible(TEAM))
        return run_from_document(document) if document else None

    async def get_state(self, run: str) -> RunState.ValueType | None:
        """Return whether a run is running, finished or cancelled, without reading the rest; None if it is unknown."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": run} | visible(TEAM), {"run.state": 1})
        return document["run"]["state"] if document else None

    async def is_visible(self, run: str) -> bool:
        """Return whether this task sees what belongs to a run, which may have been deleted if it sees everything."""
        return team_scope.current() is None or await self.get_state(run) is not None

    async def list_running(self) -> list[RunRecord]:
        """Return every run that sends trials, the oldest first."""
        return await self.list_in_states({RUNNING})

    async def list_in_states(self, states: Collection[int]) -> list[RunRecord]:
        """Return every run in one of these states, the oldest first."""
        with self._translate_errors():
            found = self._collection.find({"run.state": {"$in": list(states)}} | visible(TEAM)).sort("_id", 1)
            return [run_from_document(document) async for document in found]

    async def get_finished_revisions(self, round_name: str = "") -> dict[str, int]:
        """Return the revision of every finished run of a round, or of those of no round: by id, the oldest first."""
        with self._translate_errors():
            found = self._collection.find(finished_query(round_name), {"run.revision": 1}).sort("_id", 1)
            return {document["_id"]: document["run"]["revision"] async for document in found}

    async def get_newest_end_seconds(self) -> float:
        """Return when the newest finished run has ended, in seconds since 1970; 0.0 without one.

        Ids begin with the time of creation: of the newest hundred runs, the one that ended last counts.
        """
        query = {"run.state": FINISHED, "run.end_time": {"$type": "date"}}
        with self._translate_errors():
            found = self._collection.find(query, {"run.end_time": 1}).sort("_id", -1).limit(NEWEST_RUNS)
            return max([document["run"]["end_time"].timestamp() async for document in found], default=0.0)

    async def list_of_round(self, round_name: str) -> list[RunRecord]:
        """Return every run of a round, the oldest first."""
        with self._translate_errors():
            found = self._collection.find({"run.spec.round": round_name} | visible(TEAM)).sort("_id", 1)
            return [run_from_document(document) async for document in found]

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

    async def change_state(self, run: str, states: Collection[int], state: int, changes: int = 1) -> bool:
        """Move a run that is in one of `states` to `state`, which is not an end; return False if it is in none of them.

        Adds `changes` to its changes, removes its end_time, and releases its lease. A run that has used up its budget
        is marked for a notification, any other is not.
        """
        announced = {"unannounced": True} if state == BUDGET_EXHAUSTED and state not in states else {}
        unset = {} if announced else {"unannounced": ""}
        change = {
            "$set": {"run.state": state, **announced},
            "$inc": {"changes": changes},
            "$unset": {"run.end_time": "", "lease": "", **unset},
        }
        with self._translate_errors():
            result = await self._collection.update_one(
                {"_id": run, "run.state": {"$in": list(states)}} | changeable(TEAM), change
            )
        return result.modified_count > 0

    async def mark_ended(self, run: str, state: int) -> bool:
        """Finish a running run, or cancel a running or stopped one; return False for any other.

        Sets its end_time, increments its revision, releases its lease and marks it for a notification, by one write.
        """
        change = {
            "$set": {"run.state": state, "unannounced": True},
            "$inc": {"run.revision": 1},
            "$currentDate": {"run.end_time": True},
            "$unset": {"lease": ""},
        }
        with self._translate_errors():
            query = {"_id": run, "run.state": {"$in": list(states_before(state))}} | changeable(TEAM)
            result = await self._collection.update_one(query, change)
        return result.modified_count > 0

    async def find_newest_id(self, *, before: str = "") -> str:
        """Return the id of the newest run, or of the newest among those older than `before`; "" if there is none."""
        query = {"_id": {"$lt": before}} if before else {}
        with self._translate_errors():
            document = await self._collection.find_one(query, {"_id": 1}, sort=[("_id", -1)])
        return str(document["_id"]) if document else ""

    async def list_unannounced(self, limit: int) -> list[RunRecord]:
        """Return runs that have ended or used up their budgets, and that no notification was stored for yet."""
        with self._translate_errors():
            found = self._collection.find({"unannounced": True}).limit(limit)
            return [run_from_document(document) async for document in found]

    async def mark_announced(self, run: str) -> None:
        """Record that a notification is stored."""
        with self._translate_errors():
            await self._collection.update_one({"_id": run}, {"$unset": {"unannounced": ""}})

    async def list(self, *, before: str = "", limit: int) -> list[RunRecord]:
        """Return up to `limit` runs, the newest first, those older than the id `before`."""
        with self._translate_errors():
            found = self._collection.find(({"_id": {"$lt": before}} if before else {}) | visible(TEAM))
            found = found.sort("_id", -1).limit(limit)
            return [run_from_document(document) async for document in found]


def states_before(end: int) -> frozenset[int]:
    """Return the states of runs that can end in the state `end`."""
    return frozenset({RUNNING, *STOPPED}) if end == CANCELLED else frozenset({RUNNING})


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
        "changes": record.changes,
    }
    request = {"request_id": record.request_id, "request_hash": record.request_hash}
    return document | {name: value for name, value in request.items() if value}


def finished_query(round_name: str) -> Document:
    """Return the query for the finished runs of a round, or for those of no round, that this task sees."""
    return {"run.state": FINISHED, "run.spec.round": round_name or None} | visible(TEAM)  # None: the field is absent


def run_from_document(document: Document) -> RunRecord:
    """Return the run that a document stores."""
    return RunRecord(
        run=from_document(Run(), document["run"]),
        sections=tuple(_section_from_document(section) for section in document["sections"]),
        cursors={cursor["model"]: cursor["sent"] for cursor in document["cursors"]},
        request_id=document.get("request_id", ""),
        request_hash=document.get("request_hash", ""),
        changes=document.get("changes", 0),
    )


def _section_to_document(section: RunSection) -> Document:
    plain = {name: getattr(section, name) for name in ("task", "attack", "category", "trials")}
    optional = {name: value for name in ("sealed", "balanced_by") if (value := getattr(section, name))}
    return plain | {"judge": to_document(section.judge)} | optional


def _section_from_document(document: Document) -> RunSection:
    return RunSection(**document | {"judge": from_document(JudgeSpec(), document["judge"])})
