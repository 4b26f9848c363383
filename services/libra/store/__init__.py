"""The only package that uses MongoDB: one file for each collection.

It reads and writes the protobuf messages of `libra.v1`, so that no other package sees a document. Every write is
journalled on a majority before the call returns, and every fault of the connection or the server is raised as
`libra.core.errors.Unavailable`.
"""

from __future__ import annotations

from libra.store.client import Store
from libra.store.commit.verdict_commit import CommitStats
from libra.store.runs import RunRecord, RunSection
from libra.store.sums.cells import Cell

__all__ = ["Cell", "CommitStats", "RunRecord", "RunSection", "Store"]
