"""Rounds, their samples, and looks at sealed ones, in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from ulid import ULID

from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.rounds.round_samples import RoundSample, sample_from_document, sample_id, sample_to_document
from libra.store.rounds.rounds import (
    ABANDONED_AFTER,
    CLOSED,
    OPEN,
    OPENING,
    RoundRecord,
    duplicate_round,
    round_from_document,
    round_to_document,
    taken_anchors,
    unknown_round,
)
from libra.testing.memory.transport import MemoryClient
from libra.v1.round_pb2 import SealedLook


class MemoryRounds:
    """The twin of `libra.store.rounds.rounds.RoundCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._rounds, self._now = client, client.server.rounds, client.server.now

    async def reserve(self, record: RoundRecord) -> RoundRecord:
        """Store a round as one that is being opened; raise Conflict for its name or its anchors."""
        reserved = replace(record, state=OPENING, open_time=self._now())

        def insert() -> Exception | None:
            if record.name in self._rounds:
                return duplicate_round(record.name)
            if record.follows and any(each.get("follows") == record.follows for each in self._rounds.values()):
                return taken_anchors(record)
            self._rounds[record.name] = round_to_document(reserved)
            return None

        if error := await self._client.send(insert):
            raise error
        return reserved

    async def publish(self, record: RoundRecord, commitment: bytes) -> RoundRecord:
        """Open a reserved round under its commitment; raise Conflict if its opening was taken for abandoned."""

        def publish() -> bool:
            if found := self._find(record):
                found |= {"state": OPEN, "commitment": commitment}
            return bool(found)

        if not await self._client.send(publish):
            raise duplicate_round(record.name)
        return replace(record, state=OPEN, commitment=commitment)

    async def list_abandoned(self) -> list[RoundRecord]:
        """Return the rounds whose opening was interrupted."""
        return [
            record
            for record in await self.list(limit=len(self._rounds))
            if record.state == OPENING and record.open_time < self._now() - ABANDONED_AFTER
        ]

    async def cancel(self, record: RoundRecord) -> None:
        """Delete a round that is being opened."""
        await self._client.send(lambda: self._rounds.pop(record.name) if self._find(record) else None)

    async def get(self, name: str) -> RoundRecord | None:
        """Return one round; None if it is unknown."""
        document = await self._client.send(lambda: self._rounds.get(name))
        return round_from_document(document) if document else None

    async def find_successor(self, name: str) -> RoundRecord | None:
        """Return the round that carries over the anchors of a round; None if there is none."""
        found = await self._client.send(lambda: [each for each in self._rounds.values() if each.get("follows") == name])
        return round_from_document(found[0]) if found else None

    async def close(self, name: str, *, release_anchors: bool) -> RoundRecord:
        """Close a round if it is open, and return it as stored; raise NotFound for an unknown round."""

        def close() -> None:
            document = self._rounds.get(name, {"state": OPENING})
            if document["state"] == OPEN:
                document |= {"state": CLOSED, "close_time": self._now()}
            if document["state"] == CLOSED and release_anchors:
                document["release_anchors"] = True

        await self._client.send(close)
        record = await self.get(name)
        if record is None:
            raise unknown_round(name)
        return record

    async def reopen(self, name: str) -> None:
        """Undo `close` before anything was published."""

        def reopen() -> None:
            document = self._rounds.get(name, {"state": OPENING})
            if document["state"] == CLOSED:
                document |= {"state": OPEN, "release_anchors": False}
                document.pop("close_time", None)

        await self._client.send(reopen)

    async def list(self, *, before: str = "", limit: int) -> list[RoundRecord]:
        """Return up to `limit` rounds, the newest first, those older than the round `before`."""

        def newest() -> list[Document]:
            ordered = sorted(self._rounds.values(), key=_age, reverse=True)
            last = self._rounds.get(before)
            return [each for each in ordered if last is None or _age(each) < _age(last)][:limit]

        return [round_from_document(document) for document in await self._client.send(newest)]

    async def list_task_names(self) -> set[str]:
        """Return the names of all tasks that a round has drawn from."""
        return await self._client.send(
            lambda: {task["task"] for document in self._rounds.values() for task in document["tasks"]}
        )

    def _find(self, record: RoundRecord) -> Document | None:
        """Return the document of a reserved round."""
        document = self._rounds.get(record.name)
        is_same = document and document["state"] == OPENING and document["open_time"] == record.open_time
        return document if is_same else None


class MemoryRoundSamples:
    """The twin of `libra.store.rounds.round_samples.RoundSampleCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._samples = client, client.server.round_samples

    async def add(self, samples: Sequence[RoundSample]) -> None:
        """Store the samples of a round that is being opened."""
        documents = {sample_id(each.round, each.index): sample_to_document(each) for each in samples}
        await self._client.send(lambda: self._samples.update(documents))

    async def delete_round(self, round_name: str) -> None:
        """Delete the samples of a round that was never published."""

        def delete() -> None:
            for name in [name for name, each in self._samples.items() if each["round"] == round_name]:
                del self._samples[name]

        await self._client.send(delete)

    async def list(self, round_name: str) -> list[RoundSample]:
        """Return the samples of a round, in order of index."""
        found = await self._select(lambda each: bool(each["round"] == round_name))
        return [sample_from_document(document) for document in found]

    async def count_sealed(self, round_name: str) -> int:
        """Return how many samples of a round are not published."""
        return sum(not each.released for each in await self.list(round_name))

    async def find_drawn(self, contents: Iterable[str]) -> set[str]:
        """Return those of the contents that were drawn for any round."""
        wanted = set(contents)
        return {each["content"] for each in await self._select(lambda each: each["content"] in wanted)}

    async def find_released(self, contents: Iterable[str]) -> set[str]:
        """Return those of the contents that are published."""
        wanted = set(contents)
        found = await self._select(lambda each: each["released"] and each["content"] in wanted)
        return {each["content"] for each in found}

    async def find_released_ordinals(self, round_name: str, task: str, ordinals: Collection[int]) -> set[int]:
        """Return those of the ordinals of a task of a round that are published."""
        samples = await self.list(round_name)
        return {each.ordinal for each in samples if each.released and each.task == task} & set(ordinals)

    async def mark_released(self, contents: Collection[str]) -> None:
        """Publish samples with these contents, in every round that has them."""

        def mark() -> None:
            for document in self._samples.values():
                document["released"] = document["released"] or document["content"] in contents

        await self._client.send(mark)

    async def _select(self, is_wanted: Callable[[Document], bool]) -> Sequence[Document]:
        samples = self._samples
        return await self._client.send(lambda: [samples[name] for name in sorted(samples) if is_wanted(samples[name])])


class MemoryLooks:
    """The twin of `libra.store.rounds.looks.LookCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._looks, self._now = client, client.server.sealed_looks, client.server.now

    async def add(self, look: SealedLook) -> None:
        """Store a look; the store sets its create_time."""
        document = to_document(look) | {"create_time": self._now()}
        await self._client.send(lambda: self._looks.update({str(ULID()): document}))

    async def list(self, round_name: str, *, before: str = "", limit: int) -> list[tuple[str, SealedLook]]:
        """Return up to `limit` looks with their ids, the newest first, those older than the id `before`."""
        looks = self._looks
        names = await self._client.send(lambda: sorted(looks, reverse=True))
        older = [name for name in names if (not before or name < before) and looks[name]["round"] == round_name]
        return [(name, from_document(SealedLook(), looks[name])) for name in older[:limit]]


def _age(document: Document) -> tuple[object, str]:
    return document["open_time"], document["_id"]
