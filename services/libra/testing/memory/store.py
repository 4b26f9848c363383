"""One process's connection to the store in memory."""

from __future__ import annotations

from libra.store.rounds.seals import SealReader
from libra.testing.memory.budgets import MemoryBudgets
from libra.testing.memory.cells import MemoryCells
from libra.testing.memory.completions import MemoryCompletions
from libra.testing.memory.labels import MemoryLabels
from libra.testing.memory.model_health import MemoryModelHealth, MemoryParkedModels
from libra.testing.memory.models import MemoryAdjustments, MemoryModels
from libra.testing.memory.rounds import MemoryLooks, MemoryRounds, MemoryRoundSamples
from libra.testing.memory.runs import MemoryRuns
from libra.testing.memory.schedules import MemoryFirings, MemorySchedules
from libra.testing.memory.server import MemoryServer
from libra.testing.memory.tasks import MemoryTasks
from libra.testing.memory.transport import MemoryClient, Transport, direct
from libra.testing.memory.verdicts import MemoryVerdicts
from libra.testing.memory.webhooks import MemoryDeliveries, MemoryEvents, MemoryWebhooks


class MemoryStore:
    """The twin of `libra.store.client.Store`, with the collections that the stages, dispatch and the audit need.

    `bucket` is this writer's bucket of each cell; all requests go through `transport`.
    """

    def __init__(self, server: MemoryServer, *, bucket: int = 0, transport: Transport = direct) -> None:
        self._client = client = MemoryClient(server, transport)
        self.tasks = MemoryTasks(client)
        self.models = MemoryModels(client)
        self.adjustments = MemoryAdjustments(client)
        self.model_health = MemoryModelHealth(client)
        self.parked_models = MemoryParkedModels(client)
        self.runs = MemoryRuns(client)
        self.schedules = MemorySchedules(client)
        self.firings = MemoryFirings(client)
        self.events = MemoryEvents(client)
        self.webhooks = MemoryWebhooks(client)
        self.deliveries = MemoryDeliveries(client)
        self.rounds = MemoryRounds(client)
        self.round_samples = MemoryRoundSamples(client)
        self.sealed_looks = MemoryLooks(client)
        self.seals = SealReader(self.tasks, self.rounds, self.round_samples)
        self.completions = MemoryCompletions(client)
        self.budgets = MemoryBudgets(client, server.budgets)
        self.ceilings = MemoryBudgets(client, server.ceilings)
        self.cells = MemoryCells(client)
        self.labels = MemoryLabels(client)
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
