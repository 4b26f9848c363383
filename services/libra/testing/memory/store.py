"""One process's connection to the store in memory."""

from __future__ import annotations

from libra.testing.memory.cells import MemoryCells
from libra.testing.memory.completions import MemoryCompletions
from libra.testing.memory.models import MemoryModels
from libra.testing.memory.runs import MemoryRuns
from libra.testing.memory.server import MemoryServer
from libra.testing.memory.tasks import MemoryTasks
from libra.testing.memory.transport import MemoryClient, Transport, direct
from libra.testing.memory.verdicts import MemoryVerdicts


class MemoryStore:
    """The twin of `libra.store.client.Store`, with the collections that the stages, dispatch and the audit need.

    `bucket` is this writer's bucket of each cell; all requests go through `transport`.
    """

    def __init__(self, server: MemoryServer, *, bucket: int = 0, transport: Transport = direct) -> None:
        self._client = client = MemoryClient(server, transport)
        self.tasks = MemoryTasks(client)
        self.models = MemoryModels(client)
        self.runs = MemoryRuns(client)
        self.completions = MemoryCompletions(client)
        self.cells = MemoryCells(client)
        self.verdicts = MemoryVerdicts(client, bucket)

    async def ping(self) -> None:
        """Raise Unavailable unless the server responds now."""
        await self._client.send(lambda: None)

    async def ensure_indexes(self) -> None:
        """Do nothing: a store in memory has no indexes."""

    async def close(self) -> None:
        """Raise Unavailable in every caller that waits for a write."""
        await self.verdicts.close()
        await self.completions.close()
