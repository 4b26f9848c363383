"""Tasks and their samples. A version of a task never changes after its import."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence, Sized
from datetime import datetime

from pymongo.errors import BulkWriteError, DuplicateKeyError

from libra.core.errors import NotFound
from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.documents.team_filter import visible
from libra.store.error_translation import Database, ErrorTranslator, is_duplicate
from libra.v1.task_pb2 import Sample, Task

INSERT_SAMPLES = 1000
"""The most in one insert."""

INSERT_BYTES = 4 * 1024 * 1024
"""An insert is complete when its samples have this size."""

READ_SAMPLES = 10_000
"""The most in one request."""

NOT_OF_A_ROUND: Document = {"round": None}
"""Versions that are the samples of a round are found by their full reference only."""

SAMPLE_ID = "id"
"""The name by which the samples' own ids are read like a field; no field has it."""

NEWEST_FIRST = [("create_time", -1), ("_id", -1)]


class TaskCollection:
    """Stores every version of every task (its card), and the samples of each version.

    A caller sees only the cards that its team does. Samples are read by the full reference of a task that was seen.
    """

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._cards = database[indexes.TASKS]
        self._samples = database[indexes.SAMPLES]
        self._translate_errors = translate_errors

    async def add(self, task: Task, samples: Iterable[Sample]) -> bool:
        """Store one version, whole or not at all; return False if it was stored before.

        The samples are written first and the card last: a version without its card does not exist, and the next import
        of the same content completes an interrupted one. Raises ValueError if the card has another number of samples.
        Each sample is read once, in another thread, and no more than one batch of them is in memory.
        """
        if isinstance(samples, Sized):
            check_sample_count(task, len(samples))
        ref = f"{task.name}@{task.version}"
        with self._translate_errors():
            if await self._cards.find_one({"_id": ref}, {"_id": 1}):
                return False
            batches, count = split_batches(samples), 0
            while batch := await asyncio.to_thread(next, batches, None):
                await self._insert_samples(ref, batch)
                count += len(batch)
            check_sample_count(task, count)
            try:
                await self._cards.insert_one(to_document(task) | {"_id": ref, "create_time": now()})
            except DuplicateKeyError:
                return False
        return True

    async def get(self, ref: str) -> Task | None:
        """Return "name@version", or the newest version of "name"; None if it is not stored."""
        with self._translate_errors():
            if "@" in ref:
                document = await self._cards.find_one({"_id": ref} | visible())
            else:
                query = {"name": ref} | NOT_OF_A_ROUND | visible()
                document = await self._cards.find_one(query, sort=NEWEST_FIRST)
        return _task_from_document(document) if document else None

    async def list_names(self) -> list[str]:
        """Return the name of every task, in order."""
        with self._translate_errors():
            return sorted(await self._cards.distinct("name", NOT_OF_A_ROUND | visible()))

    async def get_import_times(self, refs: Sequence[str]) -> dict[str, datetime]:
        """Return when each "name@version" was first imported; unknown versions and those of a round are left out."""
        with self._translate_errors():
            found = self._cards.find({"_id": {"$in": list(refs)}} | NOT_OF_A_ROUND, {"create_time": 1})
            return {document["_id"]: document["create_time"] async for document in found}

    async def delete_round(self, round_name: str) -> None:
        """Delete the versions of a round that was never published."""
        with self._translate_errors():
            refs = [card["_id"] async for card in self._cards.find({"round": round_name}, {"_id": 1})]
            for ref in refs:
                await self._samples.delete_many({"_id": {"$gte": f"{ref}/", "$lt": f"{ref}0"}})
            await self._cards.delete_many({"_id": {"$in": refs}})

    async def list_flagged(self, refs: Iterable[str]) -> list[Task]:
        """Return those of "name@version" whose card has balanced_by or a caveat, in order, with no more than these."""
        query = {"_id": {"$in": list(refs)}, "$or": [{"balanced_by": {"$exists": True}}, {"caveat": {"$exists": True}}]}
        fields = {"name": 1, "version": 1, "balanced_by": 1, "caveat": 1}
        with self._translate_errors():
            found = self._cards.find(query, fields).sort("_id", 1)
            return [_task_from_document(document) async for document in found]

    async def list_samples(self, ref: str, *, first: int = 0, limit: int) -> list[Sample]:
        """Return up to `limit` samples of a task from the ordinal `first` on; raise NotFound for an unknown task."""
        task = await self.get(ref)
        if task is None:
            raise NotFound.named("task", ref, await self.list_names(), field="task")
        key = f"{task.name}@{task.version}"
        id_range = {"$gte": _sample_id(key, first), "$lt": f"{key}0"}
        with self._translate_errors():
            found = self._samples.find({"_id": id_range}).sort("_id", 1).limit(limit)
            return [_sample_from_document(document) async for document in found]

    async def get_samples(self, ref: str, ordinals: Sequence[int]) -> list[Sample]:
        """Return the samples of "name@version" with these ordinals, in this order; raise NotFound if one is missing."""
        ids = [_sample_id(ref, ordinal) for ordinal in ordinals]
        with self._translate_errors():
            found = self._samples.find({"_id": {"$in": ids}})
            samples = {document["_id"]: _sample_from_document(document) async for document in found}
        missing = [ordinal for ordinal, sample_id in zip(ordinals, ids, strict=True) if sample_id not in samples]
        if missing:
            raise missing_samples(ref, missing)
        return [samples[sample_id] for sample_id in ids]

    async def get_field_values(self, ref: str, ordinals: Sequence[int], name: str) -> dict[int, str]:
        """Return one field of the samples of "name@version" with these ordinals; samples without it are left out.

        The field "id" is the sample's own id. Only this field is read: about 50,000 samples a second.
        """
        has_name = {"$eq": [{"$first": "$$this"}, {"$literal": name}]}
        named = {"$filter": {"input": {"$ifNull": ["$fields", []]}, "cond": has_name}}
        value = "$id" if name == SAMPLE_ID else {"$last": {"$first": named}}
        projection = {"ordinal": 1, "value": value}
        values: dict[int, str] = {}
        with self._translate_errors():
            for start in range(0, len(ordinals), READ_SAMPLES):
                ids = [_sample_id(ref, ordinal) for ordinal in ordinals[start : start + READ_SAMPLES]]
                found = self._samples.aggregate([{"$match": {"_id": {"$in": ids}}}, {"$project": projection}])
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

    async def _list_all_versions(self, after: str, limit: int, category: int | None) -> list[Task]:
        query = NOT_OF_A_ROUND | visible() | ({"category": category} if category else {})
        with self._translate_errors():
            last = await self._cards.find_one({"_id": after}, {"name": 1, "create_time": 1}) if after else None
            if last:
                same_name, older = {"name": last["name"]}, {"create_time": {"$lt": last["create_time"]}}
                same_time = {"create_time": last["create_time"], "_id": {"$lt": after}}
                query["$or"] = [{"name": {"$gt": last["name"]}}, same_name | older, same_name | same_time]
            found = self._cards.find(query).sort([("name", 1), *NEWEST_FIRST]).limit(limit)
            return [_task_from_document(document) async for document in found]

    async def list(
        self, *, after: str = "", limit: int, category: int | None = None, all_versions: bool = False
    ) -> list[Task]:
        """Return up to `limit` tasks in order of name, those after the task `after` ("name@version").

        Returns the newest version of each task, or with `all_versions` every version, the newest first.
        """
        if all_versions:
            return await self._list_all_versions(after, limit, category)
        pipeline: list[Document] = [
            {"$match": {"name": {"$gt": after.partition("@")[0]}} | NOT_OF_A_ROUND | visible()},
            {"$sort": dict([("name", 1), *NEWEST_FIRST])},
            {"$group": {"_id": "$name", "newest": {"$first": "$$ROOT"}}},
            {"$match": {"newest.category": category} if category else {}},
            {"$sort": {"_id": 1}},
            {"$limit": limit},
        ]
        with self._translate_errors():
            found = self._cards.aggregate(pipeline)
            return [_task_from_document(document["newest"]) async for document in found]


def split_batches(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    """Yield the samples in lists that one insert can hold."""
    batch: list[Sample] = []
    size_bytes = 0
    for sample in samples:
        batch.append(sample)
        size_bytes += sample.ByteSize()
        if len(batch) >= INSERT_SAMPLES or size_bytes >= INSERT_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def check_sample_count(task: Task, count: int) -> None:
    """Raise ValueError if the card has another number of samples than there are."""
    if task.sample_count != count:
        raise ValueError(f"the card of {task.name} says {task.sample_count} samples, but there are {count}")


def missing_samples(ref: str, ordinals: Sequence[int]) -> NotFound:
    """Return the error that names the first ten missing samples."""
    return NotFound(f"the task {ref} has no sample {', '.join(map(str, ordinals[:10]))}", field="task")


def _sample_id(ref: str, ordinal: int) -> str:
    return f"{ref}/{ordinal:09d}"


def _task_from_document(document: Document) -> Task:
    return from_document(Task(), document)


def _sample_from_document(document: Document) -> Sample:
    return from_document(Sample(), document)
