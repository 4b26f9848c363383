"""The only room that talks to MongoDB; one file a collection.

It reads and writes the contracts' own messages (`libra.v1`), so that nobody else sees a document. Everything it writes is
journalled on a majority before the call returns, and every fault of the connection leaves it as `libra.errors.Unavailable`.
"""

from __future__ import annotations

from libra.store.cells import Cell
from libra.store.client import Store
from libra.store.commit.verdict_commit import CommitStats
from libra.store.runs import RunRecord, RunSection

__all__ = ["Cell", "CommitStats", "RunRecord", "RunSection", "Store"]
