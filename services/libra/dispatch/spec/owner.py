"""The team that owns a new run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from libra.core.access import team_scope
from libra.core.access.team_scope import SHARED
from libra.core.errors import FailedPrecondition
from libra.dispatch.spec.judge_resolution import MODEL_OPTION
from libra.store.client import Store
from libra.v1.run_pb2 import RunSpec


class RunOwners:
    """Decides whose a run is: its results show what its models, tasks and source run are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def owner_of(self, spec: RunSpec) -> str:
        """Return the team of the caller or, for a caller without one, the team whose things the spec names.

        The run then sees what this team sees, so that "*" stands for these tasks. Raises FailedPrecondition if the spec
        names things of several teams.
        """
        team = team_scope.current()
        if team is not None:
            return team
        try:
            owner = team_scope.common_owner(await self._owners_of_models(spec))
            return owner or team_scope.common_owner(await self._owners_of_tasks(spec.tasks))
        except FailedPrecondition as error:
            raise FailedPrecondition(f"the run cannot be created: {error.message}", field="spec") from None

    async def _owners_of_models(self, spec: RunSpec) -> list[str]:
        """Return the owners of the models, and of the run that is judged again."""
        judge = spec.judge_options.get(MODEL_OPTION, "")
        names = sorted({*spec.models, judge, spec.judge_model, spec.attack_model} - {""})
        models = await asyncio.gather(*map(self._store.models.get, names))
        source = await self._store.runs.get(spec.rejudges) if spec.rejudges else None
        return [model.team for model in models if model] + ([source.run.team] if source else [])

    async def _owners_of_tasks(self, selectors: Sequence[str]) -> list[str]:
        """Return the owners of the tasks that are named and that not all teams share; "*" and a category name none."""
        with team_scope.acting_for(SHARED):
            shared = await asyncio.gather(*map(self._store.tasks.get, selectors))
        missing = [name for name, task in zip(selectors, shared, strict=True) if task is None]
        tasks = await asyncio.gather(*map(self._store.tasks.get, missing))
        return [task.team for task in tasks if task]
