"""What travels together: how trials are cut into batches, and the key a batch travels under."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)

MAX_TRIALS = 64
"""Trials in one batch, at most: what makes a durable queue cheap."""

MAX_BYTES = 512 * 1024
"""Bytes of trials in one batch, at most; a trial that is larger travels alone."""


def split(items: Sequence[M]) -> list[list[M]]:
    """Return the items in order, in as few runs as the limits allow: at most 64 each, and at most 512 KiB together."""
    parts: list[list[M]] = []
    room_bytes = 0
    for item in items:
        size_bytes = item.ByteSize()
        if not parts or len(parts[-1]) == MAX_TRIALS or size_bytes > room_bytes:
            parts.append([])
            room_bytes = MAX_BYTES
        parts[-1].append(item)
        room_bytes -= size_bytes
    return parts


def content_key(kind: str, data: bytes) -> str:
    """Return the key of a message of this kind and content: the same bytes always travel under the same key."""
    return f"{kind}/{hashlib.sha256(data).hexdigest()}"
