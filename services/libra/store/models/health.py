"""The health of each model as each gateway replica reports it, and as all replicas together know it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pymongo import UpdateOne

from libra.store import indexes
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.model_pb2 import MODEL_STATE_PARKED, MODEL_STATE_READY, MODEL_STATE_UNUSABLE, ModelHealth

CURRENT_SECONDS = 30.0
"""A replica that has not reported for this long is gone: nothing of it is in flight, and its state does not count."""

ERROR_SECONDS = 600.0
"""Errors are shown for ten minutes."""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The report of one replica about one model."""

    model: str
    replica: str
    health: ModelHealth
    error_time: datetime | None = None
    """Time of the last error."""

    answered: Mapping[str, int] = field(default_factory=dict)
    """By run, how many trials this replica has answered so far."""


@dataclass(frozen=True, slots=True)
class FleetHealth:
    """The health of one model by all replicas."""

    health: ModelHealth
    answered: Mapping[str, int]
    """By run, how many trials were answered so far; a trial that was sent twice counts twice."""


class HealthCollection:
    """One document for each model and replica, deleted a day after its last change."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.MODEL_HEALTH]
        self._translate_errors = translate_errors

    async def write(self, reports: Sequence[HealthReport]) -> None:
        """Replace what the replica reported about these models before."""
        changes = [UpdateOne({"_id": _id(report)}, [{"$set": _change(report)}], upsert=True) for report in reports]
        if changes:
            with self._translate_errors():
                await self._collection.bulk_write(changes, ordered=False)

    async def list(self, models: Collection[str] | None = None) -> dict[str, FleetHealth]:
        """Return what the replicas know of each model that one of them has reported about."""
        query = {} if models is None else {"model": {"$in": sorted(models)}}
        pipeline: list[Document] = [{"$match": query}, {"$set": {"now": "$$NOW"}}]
        by_model: dict[str, list[Document]] = {}
        with self._translate_errors():
            async for document in self._collection.aggregate(pipeline):
                by_model.setdefault(document["model"], []).append(document)
        return {model: merge(documents) for model, documents in by_model.items()}


def merge(documents: Iterable[Document]) -> FleetHealth:
    """Return what the replicas know together. Only the counts of a replica that is gone still count."""
    whole, answered = ModelHealth(), dict[str, int]()
    last_error, error_time = "", datetime.min.replace(tzinfo=UTC)
    for document in documents:
        health, now = from_document(ModelHealth(), document["health"]), document["now"]
        for run, count in document["answered"]:
            answered[run] = answered.get(run, 0) + count
        if health.answer_time.ToNanoseconds() > whole.answer_time.ToNanoseconds():
            whole.answer_time.CopyFrom(health.answer_time)
        if document["error_time"] and now - document["error_time"] < timedelta(seconds=ERROR_SECONDS):
            whole.errors += health.errors
            if document["error_time"] > error_time:
                last_error, error_time = health.error, document["error_time"]
        if now - document["time"] < timedelta(seconds=CURRENT_SECONDS):
            _merge_state(whole, health)
    whole.error = whole.error or last_error
    return FleetHealth(whole, answered)


def _merge_state(whole: ModelHealth, health: ModelHealth) -> None:
    """Add the state of one more replica: a model is parked if any replica says so, since all replicas share that."""
    whole.in_flight += health.in_flight
    if whole.state == MODEL_STATE_PARKED:
        return
    if health.state == MODEL_STATE_PARKED:
        for name in ("park_time", "probe_time", "give_up_time"):
            if health.HasField(name):
                getattr(whole, name).CopyFrom(getattr(health, name))
        whole.state, whole.error = MODEL_STATE_PARKED, health.error
    elif whole.state != MODEL_STATE_READY and health.state in (MODEL_STATE_READY, MODEL_STATE_UNUSABLE):
        whole.state = health.state


def _id(report: HealthReport) -> Document:
    return {"model": report.model, "replica": report.replica}


def report_to_document(report: HealthReport) -> Document:
    """Return the document of a report, without its time."""
    return {
        "model": report.model,
        "health": to_document(report.health),
        "error_time": report.error_time,
        "answered": [[run, count] for run, count in report.answered.items()],
    }


def _change(report: HealthReport) -> Document:
    content = report_to_document(report)
    return {name: {"$literal": value} for name, value in content.items()} | {"time": "$$NOW"}
