"""Checks the law of rounds: what runs evaluate is what the round has committed to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import groupby

from libra.commitment.commitment import Commitment, read_commitment
from libra.commitment.mismatch import Mismatch
from libra.commitment.samples import SampleOrigin, salted_hash, sample_json
from libra.core.errors import NotFound
from libra.ranking.audit import MAX_NAMED
from libra.store.client import Store
from libra.store.rounds.round_samples import RoundSample
from libra.v1.ranking_pb2 import AuditFinding
from libra.v1.task_pb2 import Sample

LAW_ROUND_SAMPLES = "every sample of a round matches the round's commitment"
CHUNK_SAMPLES = 500


async def audit_round_samples(store: Store, round_name: str) -> list[AuditFinding]:
    """Return a finding if stored samples of a round, or the commitment itself, were changed after it was opened."""
    record = await store.rounds.get(round_name)
    if record is None:
        return [AuditFinding(law=LAW_ROUND_SAMPLES, message=f"the round {round_name} does not exist")]
    try:
        commitment = read_commitment(record.commitment, record.public_key)
    except Mismatch as error:
        return [AuditFinding(law=LAW_ROUND_SAMPLES, message=error.message)]
    changed: list[str] = []
    for task, of_task in groupby(await store.round_samples.list(round_name), key=lambda each: each.task):
        listed, ref = list(of_task), f"{task}@{round_name}"
        for start in range(0, len(listed), CHUNK_SAMPLES):
            changed += await _find_changed(store, ref, listed[start : start + CHUNK_SAMPLES], commitment)
    if not changed:
        return []
    message = f"{len(changed)} samples do not match the commitment of the round {round_name}"
    return [AuditFinding(law=LAW_ROUND_SAMPLES, message=message, concerned=changed[:MAX_NAMED])]


async def _find_changed(store: Store, ref: str, samples: Sequence[RoundSample], commitment: Commitment) -> list[str]:
    try:
        texts = await store.tasks.get_samples(ref, [each.ordinal for each in samples])
    except NotFound:
        return [f"{ref}/{each.ordinal}" for each in samples]
    # In a thread: to hash some hundred samples takes milliseconds.
    matches = await asyncio.to_thread(
        lambda: [_matches(each, text, commitment) for each, text in zip(samples, texts, strict=True)]
    )
    return [f"{ref}/{each.ordinal}" for each, is_match in zip(samples, matches, strict=True) if not is_match]


def _matches(sample: RoundSample, text: Sample, commitment: Commitment) -> bool:
    origin = SampleOrigin(sample.task, sample.ordinal, sample.source, sample.source_ordinal, is_anchor=sample.anchor)
    leaf = salted_hash(sample.salt, sample_json(sample.round, origin, text))
    return sample.index < len(commitment.leaves) and commitment.leaves[sample.index] == leaf
