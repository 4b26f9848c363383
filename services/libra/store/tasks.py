"""Tasks and their samples. A version of a task never changes once it is there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymongo.errors import BulkWriteError, DuplicateKeyError

from libra.errors import NotFound
from libra.store import indexes
from libra.store.error_translation import Database, ErrorTranslator, is_duplicate
from libra.store.proto_documents import Document, from_document, now, to_document
from libra.v1.task_pb2 import Sample, Task

IMPORT_SAMPLES = 1000
"""In one insert."""

READ_SAMPLES = 10_000
"""In one request."""

NEWEST_FIRST = [("create_time", -1), ("_id", -1)]


class TaskCollection:
    """Every version of every task, and the samples of each."""

    def __init__(self, database: Database, door: ErrorTranslator) -> None:
        self._cards = database[indexes.TASKS]
        self._samples = database[indexes.SAMPLES]
        self._door = door

    async def add(self, task: Task, samples: Sequence[Sample]) -> bool:
        """Store one version, whole or not at all; return False if it was there before.

        The samples go first and the card last: without its card a version does not exist, and an import that was cut
        short is finished by the next one of the same content. ValueError if the card counts other samples than these.
        """
        if task.sample_count != len(samples):
            raise ValueError(f"the card of {task.name} says {task.sample_count} samples, but there are {len(samples)}")
        ref = f"{task.name}@{task.version}"
        with self._door():
            if await self._cards.find_one({"_id": ref}, {"_id": 1}):
                return False
            for start in range(0, len(samples), IMPORT_SAMPLES):
                await self._insert_samples(ref, samples[start : start + IMPORT_SAMPLES])
            try:
                await self._cards.insert_one(to_document(task) | {"_id": ref, "create_time": now()})
            except DuplicateKeyError:
                return False
        return True

    async def get(self, ref: str) -> Task | None:
        """Return "name@version", or the newest version of "name"."""
        with self._door():
            if "@" in ref:
                document = await self._cards.find_one({"_id": ref})
            else:
                document = await self._cards.find_one({"name": ref}, sort=NEWEST_FIRST)
        return _task(document) if document else None

    async def list_names(self) -> list[str]:
        """Return the name of every task, in order."""
        with self._door():
            return sorted(await self._cards.distinct("name"))

    async def get_import_times(self, refs: Sequence[str]) -> dict[str, datetime]:
        """Return when each "name@version" was first imported; those that are not there are left out."""
        with self._door():
            found = self._cards.find({"_id": {"$in": list(refs)}}, {"create_time": 1})
            return {document["_id"]: document["create_time"] async for document in found}

    async def list_samples(self, ref: str, *, first: int = 0, limit: int) -> list[Sample]:
        """Return up to `limit` samples of a task from the ordinal `first` on; NotFound if there is no such task."""
        task = await self.get(ref)
        if task is None:
            raise NotFound.named("task", ref, await self.list_names(), field="task")
        key = f"{task.name}@{task.version}"
        span = {"$gte": _sample_id(key, first), "$lt": f"{key}0"}
        with self._door():
            found = self._samples.find({"_id": span}).sort("_id", 1).limit(limit)
            return [_sample(document) async for document in found]

    async def get_samples(self, ref: str, ordinals: Sequence[int]) -> list[Sample]:
        """Return the samples of "name@version" with these ordinals, in the order given; NotFound if one is missing."""
        wanted = [_sample_id(ref, ordinal) for ordinal in ordinals]
        with self._door():
            found = self._samples.find({"_id": {"$in": wanted}})
            samples = {document["_id"]: _sample(document) async for document in found}
        missing = [ordinal for ordinal, key in zip(ordinals, wanted, strict=True) if key not in samples]
        if missing:
            raise NotFound(f"the task {ref} has no sample {', '.join(map(str, missing[:10]))}", field="task")
        return [samples[key] for key in wanted]

    async def get_field_values(self, ref: str, ordinals: Sequence[int], name: str) -> dict[int, str]:
        """Return one field of the samples of "name@version" with these ordinals; samples without it are left out.

        Nothing else of a sample is read: some 50,000 a second.
        """
        same = {"$eq": [{"$first": "$$this"}, {"$literal": name}]}
        mine = {"$filter": {"input": {"$ifNull": ["$fields", []]}, "cond": same}}
        values: dict[int, str] = {}
        with self._door():
            for start in range(0, len(ordinals), READ_SAMPLES):
                wanted = [_sample_id(ref, ordinal) for ordinal in ordinals[start : start + READ_SAMPLES]]
                value = {"ordinal": 1, "value": {"$last": {"$first": mine}}}
                found = self._samples.aggregate([{"$match": {"_id": {"$in": wanted}}}, {"$project": value}])
                values |= {
                    each.get("ordinal", 0): each["value"] async for each in found if each.get("value") is not None
                }
        return values

    async def _insert_samples(self, ref: str, samples: Sequence[Sample]) -> None:
        documents = [to_document(sample) | {"_id": _sample_id(ref, sample.ordinal)} for sample in samples]
        try:
            await self._samples.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if not is_duplicate(error):
                raise

    async def _list_all(self, after: str, limit: int, category: int | None) -> list[Task]:
        wanted: Document = {"category": category} if category else {}
        with self._door():
            last = await self._cards.find_one({"_id": after}, {"name": 1, "create_time": 1}) if after else None
            if last:
                same, older = {"name": last["name"]}, {"create_time": {"$lt": last["create_time"]}}
                tie = {"create_time": last["create_time"], "_id": {"$lt": after}}
                wanted["$or"] = [{"name": {"$gt": last["name"]}}, same | older, same | tie]
            found = self._cards.find(wanted).sort([("name", 1), *NEWEST_FIRST]).limit(limit)
            return [_task(document) async for document in found]

    async def list(
        self, *, after: str = "", limit: int, category: int | None = None, all_versions: bool = False
    ) -> list[Task]:
        """Return up to `limit` tasks in order of name, those after the task `after` ("name@version").

        The newest version of each, unless `all_versions`; these come the newest first.
        """
        if all_versions:
            return await self._list_all(after, limit, category)
        stages: list[Document] = [
            {"$match": {"name": {"$gt": after.partition("@")[0]}}},
            {"$sort": dict([("name", 1), *NEWEST_FIRST])},
            {"$group": {"_id": "$name", "newest": {"$first": "$$ROOT"}}},
            {"$match": {"newest.category": category} if category else {}},
            {"$sort": {"_id": 1}},
            {"$limit": limit},
        ]
        with self._door():
            return [_task(document["newest"]) async for document in self._cards.aggregate(stages)]


def _sample_id(ref: str, ordinal: int) -> str:
    return f"{ref}/{ordinal:09d}"


def _task(document: Document) -> Task:
    return from_document(Task(), document)


def _sample(document: Document) -> Sample:
    return from_document(Sample(), document)
