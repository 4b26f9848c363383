"""A store in memory that passes the same contract suite as the real one, with seeded faults.

    server = MemoryServer(seed=7, faults=StoreFaults(lost_requests=0.05, lost_responses=0.05))
    store = MemoryStore(server)

Several processes share one server; each has its own store, which is its connection. Verdicts are written by the real
writer (`libra.store.commit.verdict_writer`); a transaction reads one snapshot and is written all at once or not at
all. All times are those of the event loop, so that it runs in virtual time (`libra.testing.virtual_time`) as well as
in real time.
"""

from __future__ import annotations

from libra.testing.memory.server import MemoryServer, StoreFaults
from libra.testing.memory.store import MemoryStore

__all__ = ["MemoryServer", "MemoryStore", "StoreFaults"]
