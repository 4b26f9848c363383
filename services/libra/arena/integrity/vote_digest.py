"""The digest of a vote, by which an audit sees that it was not changed."""

from __future__ import annotations

import hashlib

from google.protobuf.message import Message

from libra.v1.arena_pb2 import Vote

UNSIGNED = ("digest", "quarantined")
"""The digest itself, and what is no part of the vote."""


def digest_of(vote: Vote) -> str:
    """Return the SHA-256 of a vote's content, in hex."""
    content: Message = Vote()
    content.CopyFrom(vote)
    for name in UNSIGNED:
        content.ClearField(name)
    return hashlib.sha256(content.SerializeToString(deterministic=True)).hexdigest()


def digest_of_all(digests: list[str]) -> str:
    """Return the SHA-256 over the digests of all votes, in their order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()
