"""Draws the answers that a report shows."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import AsyncIterator

from libra.v1.verdict_pb2 import Verdict


async def draw_samples(verdicts: AsyncIterator[Verdict], count: int) -> list[Verdict]:
    """Return a random sample of the verdicts, in the order of their ids.

    The smallest hashes of their ids are taken, so that the same run always has the same sample.
    """
    if not count:
        return []
    kept: list[tuple[bytes, str, Verdict]] = []
    async for verdict in verdicts:
        key = bytes(255 - byte for byte in hashlib.sha256(verdict.id.encode()).digest())
        entry = (key, verdict.id, verdict)
        if len(kept) < count:
            heapq.heappush(kept, entry)
        elif entry > kept[0]:
            heapq.heapreplace(kept, entry)
    return [verdict for _, _, verdict in sorted(kept, key=lambda each: each[1])]
