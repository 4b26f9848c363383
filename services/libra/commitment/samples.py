"""The samples of a round as JSON, and the salted hashes that commit to them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from libra.commitment.canonical import Json, canonical, hash_json
from libra.v1.task_pb2 import Sample

SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class SampleOrigin:
    """The origin of a sample of a round."""

    task: str
    """The name of its task."""

    ordinal: int
    """Its place among the round's samples of the task."""

    source: str
    """The version that it was drawn from, "name@version"."""

    source_ordinal: int
    """Its ordinal there."""

    is_anchor: bool
    """Whether it was carried over from the round before."""


def sample_json(round_name: str, origin: SampleOrigin, sample: Sample) -> Json:
    """Return what a round commits to for one sample."""
    return {
        "round": round_name,
        "task": origin.task,
        "ordinal": origin.ordinal,
        "anchor": origin.is_anchor,
        "source": origin.source,
        "source_ordinal": origin.source_ordinal,
        "id": sample.id,
        "messages": _messages(sample),
        "fields": dict(sample.fields),
    }


def salted_hash(salt: bytes, sample: Json) -> bytes:
    """Return the SHA-256 of the salt and the canonical JSON of a sample.

    Without the salt, a sealed sample could be confirmed by anyone who guesses its text.
    """
    return hashlib.sha256(salt + canonical(sample)).digest()


def content_hash(sample: Sample) -> str:
    """Return the hash of a sample's conversation and fields, the same in every version of a task; never published."""
    return hash_json([_messages(sample), dict(sample.fields)])


def _messages(sample: Sample) -> list[Json]:
    return [{"role": message.role, "content": message.content} for message in sample.messages]
