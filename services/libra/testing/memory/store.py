"""One process's way to the store in memory."""

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
    """As `libra.store.Store`, for what the stages, dispatch and the audit need of it.

    `bucket` is this writer's place among the cells' buckets; `way` is what its requests go through.
    """

    def __init__(self, server: MemoryServer, *, bucket: int = 0, way: Transport = direct) -> None:
        self._client = client = MemoryClient(server, way)
        self.tasks = MemoryTasks(client)
        self.models = MemoryModels(client)
        self.runs = MemoryRuns(client)
        self.completions = MemoryCompletions(client)
        self.cells = MemoryCells(client)
        self.verdicts = MemoryVerdicts(client, bucket)

    async def ping(self) -> None:
        """Return if the server answers now; raise Unavailable otherwise."""
        await self._client.send(lambda: None)

    async def ensure_indexes(self) -> None:
        """Do nothing: there are none."""

    async def close(self) -> None:
        """Give up what waits to be written."""
        await self.verdicts.close()
        await self.completions.close()
