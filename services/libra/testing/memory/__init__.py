"""A store in memory with the manners of the real one, and a seeded malice.

    server = MemoryServer(seed=7, trouble=Trouble(lost_requests=0.05, lost_answers=0.05))
    store = MemoryStore(server)

The server is what several processes share; a store is one process's way to it. What the writer of verdicts does is the
real writer's doing (`libra.store.commit.verdict_writer`); its transactions see one moment, and are written all at once
or not at all. All time is the event loop's, so that it runs in virtual time (`libra.testing.virtual_time`) as well as
in real.
"""

from __future__ import annotations

from libra.testing.memory.server import MemoryServer, StoreFaults
from libra.testing.memory.store import MemoryStore

__all__ = ["MemoryServer", "MemoryStore", "StoreFaults"]
