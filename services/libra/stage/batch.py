"""Cuts trials into batches, and derives the key under which a batch is published."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from google.protobuf.message import Message

from libra.v1.batch_pb2 import BatchHeader

M = TypeVar("M", bound=Message)

MAX_TRIALS = 64
"""Maximum trials in one batch. Batches of this size make the durable queue cheap."""

MAX_BYTES = 512 * 1024
"""Maximum bytes of trials in one batch; a larger trial is sent alone."""


def split(items: Sequence[M]) -> list[list[M]]:
    """Return the items in order, in as few batches as the limits allow: 64 items and 512 KiB each."""
    batches: list[list[M]] = []
    free_bytes = 0
    for item in items:
        size_bytes = item.ByteSize()
        if not batches or len(batches[-1]) == MAX_TRIALS or size_bytes > free_bytes:
            batches.append([])
            free_bytes = MAX_BYTES
        batches[-1].append(item)
        free_bytes -= size_bytes
    return batches


def content_key(kind: str, data: bytes) -> str:
    """Return the key of a message of this kind: equal bytes give equal keys."""
    return f"{kind}/{hashlib.sha256(data).hexdigest()}"


def shared_within(header: BatchHeader) -> str:
    """Return what trials must have in common to share stored completions; "" if all share them.

    The runs of a round share among themselves only: an anchor that was answered in an earlier round is asked again.
    """
    if header.fresh:
        return header.run
    return f"round/{header.round}" if header.round else ""
