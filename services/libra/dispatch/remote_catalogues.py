"""Query the catalogues of the attack and the judge service."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from libra.dispatch.spec.registry import MAX_TASKS, Registry, task_reference
from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.attack_pb2 import ListAttacksRequest
from libra.v1.attack_pb2_grpc import AttackServiceStub
from libra.v1.judge_pb2 import CheckJudgesRequest, JudgeCheck, ListJudgesRequest
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.task_pb2 import JudgeSpec, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    import grpc.aio

TIMEOUT_SECONDS = 5.0


class RemoteCatalogues:
    """Loads the registry that a spec is checked against, from the store and the two services."""

    def __init__(self, store: Store, attack: grpc.aio.Channel, judge: grpc.aio.Channel) -> None:
        self._store = store
        self._attacks, self._judges = AttackServiceStub(attack), JudgeServiceStub(judge)

    async def load_registry(self, task_selectors: Sequence[str]) -> Registry:
        """Return the names that are valid now, with the task versions among the selectors; raise Unavailable."""
        models, tasks, attacks, judges = await asyncio.gather(
            self._store.models.list(),
            self.load_tasks(task_selectors),
            call(self._attacks.ListAttacks, ListAttacksRequest(), TIMEOUT_SECONDS),
            call(self._judges.ListJudges, ListJudgesRequest(), TIMEOUT_SECONDS),
        )
        return Registry(
            models=frozenset(model.name for model in models),
            tasks=tasks,
            attacks={attack.name: attack for attack in attacks.attacks},
            judges={judge.name: judge for judge in judges.judges},
        )

    async def check_judges(self, judges: Sequence[JudgeSpec]) -> Sequence[JudgeCheck]:
        """Return the judge service's check of each of these judges; raise Unavailable."""
        response = await call(self._judges.CheckJudges, CheckJudgesRequest(judges=judges), TIMEOUT_SECONDS)
        return list(response.checks)

    async def load_tasks(self, selectors: Sequence[str]) -> dict[str, Task]:
        """Return the newest version of each task by name, and each version that a selector names."""
        tasks = {task.name: task for task in await self._store.tasks.list(limit=MAX_TASKS)}
        versions = await asyncio.gather(*(self._store.tasks.get(name) for name in selectors if "@" in name))
        return tasks | {task_reference(task): task for task in versions if task}
