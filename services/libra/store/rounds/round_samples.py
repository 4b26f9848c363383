"""The samples of rounds: the salt of each, where it comes from, and whether it is published. Not their text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass

from libra.store import indexes
from libra.store.documents.proto_documents import Document
from libra.store.error_translation import Database, ErrorTranslator

INSERT_DOCUMENTS = 5_000
QUERY_CONTENTS = 5_000
"""The most hashes in one query."""


@dataclass(frozen=True, slots=True)
class RoundSample:
    """One sample of a round."""

    round: str
    index: int
    """Its place among the leaves of the commitment."""

    task: str
    """The task's name."""

    ordinal: int
    """Its ordinal in "task@round"."""

    salt: bytes
    leaf: bytes
    """Its salted hash."""

    content: str
    """The hash of its conversation and fields without a salt, by which it is found in other versions and rounds."""

    source: str
    source_ordinal: int
    anchor: bool
    """Whether it was carried over from the round before."""

    reserved: bool
    """Whether the next round can carry it over."""

    released: bool = False


class RoundSampleCollection:
    """Stores the samples of every round, by round and index."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.ROUND_SAMPLES]
        self._translate_errors = translate_errors

    async def add(self, samples: Sequence[RoundSample]) -> None:
        """Store the samples of a round that is being opened."""
        with self._translate_errors():
            for start in range(0, len(samples), INSERT_DOCUMENTS):
                documents = [sample_to_document(sample) for sample in samples[start : start + INSERT_DOCUMENTS]]
                await self._collection.insert_many(documents, ordered=False)

    async def delete_round(self, round_name: str) -> None:
        """Delete the samples of a round that was never published."""
        with self._translate_errors():
            await self._collection.delete_many(_of_round(round_name))

    async def list(self, round_name: str) -> list[RoundSample]:
        """Return the samples of a round, in order of index."""
        with self._translate_errors():
            found = self._collection.find(_of_round(round_name)).sort("_id", 1)
            return [sample_from_document(document) async for document in found]

    async def count_sealed(self, round_name: str) -> int:
        """Return how many samples of a round are not published."""
        with self._translate_errors():
            return await self._collection.count_documents(_of_round(round_name) | {"released": False})

    async def find_drawn(self, contents: Iterable[str]) -> set[str]:
        """Return those of the contents that were drawn for any round."""
        return await self._find_contents(contents, {})

    async def find_released(self, contents: Iterable[str]) -> set[str]:
        """Return those of the contents that are published."""
        return await self._find_contents(contents, {"released": True})

    async def find_released_ordinals(self, round_name: str, task: str, ordinals: Collection[int]) -> set[int]:
        """Return those of the ordinals of a task of a round that are published."""
        query = _of_round(round_name) | {"task": task, "ordinal": {"$in": list(ordinals)}, "released": True}
        with self._translate_errors():
            return {document["ordinal"] async for document in self._collection.find(query, {"ordinal": 1})}

    async def mark_released(self, contents: Collection[str]) -> None:
        """Publish samples with these contents, in every round that has them."""
        listed = list(contents)
        with self._translate_errors():
            for start in range(0, len(listed), QUERY_CONTENTS):
                part = {"content": {"$in": listed[start : start + QUERY_CONTENTS]}}
                await self._collection.update_many(part, {"$set": {"released": True}})

    async def _find_contents(self, contents: Iterable[str], query: Document) -> set[str]:
        listed, found = list(contents), set()
        with self._translate_errors():
            for start in range(0, len(listed), QUERY_CONTENTS):
                part = query | {"content": {"$in": listed[start : start + QUERY_CONTENTS]}}
                found |= {document["content"] async for document in self._collection.find(part, {"content": 1})}
        return found


def sample_id(round_name: str, index: int) -> str:
    """Return the id of a sample of a round; ids sort by index."""
    return f"{round_name}/{index:09d}"


def sample_to_document(sample: RoundSample) -> Document:
    """Return the document of a sample."""
    return {"_id": sample_id(sample.round, sample.index)} | asdict(sample)


def sample_from_document(document: Document) -> RoundSample:
    """Return the sample that a document stores."""
    return RoundSample(**{name: value for name, value in document.items() if name != "_id"})


def _of_round(round_name: str) -> Document:
    return {"_id": {"$gte": f"{round_name}/", "$lt": f"{round_name}0"}}
