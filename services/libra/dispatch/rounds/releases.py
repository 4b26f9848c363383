"""Release the samples of closed rounds: all but those that a later round uses, or can still use, as anchors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import groupby

from libra.commitment.release import ReleasedSample, ReleaseWriter, RoundDisclosure
from libra.commitment.samples import SampleOrigin, sample_json
from libra.store.client import Store
from libra.store.rounds.round_samples import RoundSample
from libra.store.rounds.rounds import CLOSED, OPENING, RoundRecord

CHUNK_SAMPLES = 200
PIECE_BYTES = 256 * 1024


class RoundReleases:
    """Publishes samples, and writes releases."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def settle(self, name: str) -> None:
        """Publish the samples of a round that are not used any more; change nothing while it is open.

        It may be called at any time: a sample, once published, stays so.
        """
        record = await self._store.rounds.get(name)
        if record is None or record.state != CLOSED:
            return
        samples = await self._store.round_samples.list(name)
        successor = await self._store.rounds.find_successor(name)
        carried: set[str] = set()
        if successor and successor.state != CLOSED:
            carried = {each.content for each in await self._store.round_samples.list(successor.name) if each.anchor}
        can_be_carried = await self._can_be_carried(record, successor)
        unused = [
            each.content for each in samples if each.content not in carried and not (can_be_carried and each.reserved)
        ]
        await self._store.round_samples.mark_released(unused)

    async def write(self, record: RoundRecord) -> AsyncIterator[bytes]:
        """Yield the release of a closed round in pieces, with the samples that are published by now."""
        samples = await self._store.round_samples.list(record.name)
        released = [each for each in samples if each.released]
        writer = ReleaseWriter(
            RoundDisclosure(
                round=record.name,
                canary=record.canary,
                seed=record.seed,
                close_time=record.close_time.isoformat().replace("+00:00", "Z") if record.close_time else "",
                tasks=record.tasks,
                leaves=[each.leaf for each in samples],
                released=len(released),
            )
        )
        piece = writer.manifest()
        for task, of_task in groupby(released, key=lambda each: each.task):
            listed = list(of_task)
            for start in range(0, len(listed), CHUNK_SAMPLES):
                for sample in await self._load(record.name, task, listed[start : start + CHUNK_SAMPLES]):
                    piece += writer.sample(sample)
                    if len(piece) >= PIECE_BYTES:
                        yield piece
                        piece = b""
        yield piece + writer.end()

    async def _can_be_carried(self, record: RoundRecord, successor: RoundRecord | None) -> bool:
        """Return whether a round that is being opened, or that will be, can carry over the reserved samples."""
        newest = next(iter(await self._store.rounds.list(limit=1)), record)
        if newest.state == OPENING or (successor and successor.state == OPENING):
            return True  # which samples it carries is not stored yet
        return successor is None and newest.name == record.name and not record.release_anchors

    async def _load(self, name: str, task: str, samples: Sequence[RoundSample]) -> list[ReleasedSample]:
        texts = await self._store.tasks.get_samples(f"{task}@{name}", [each.ordinal for each in samples])
        return [
            ReleasedSample(each.index, each.salt, sample_json(name, _origin(each), text))
            for each, text in zip(samples, texts, strict=True)
        ]


def _origin(sample: RoundSample) -> SampleOrigin:
    return SampleOrigin(sample.task, sample.ordinal, sample.source, sample.source_ordinal, is_anchor=sample.anchor)
