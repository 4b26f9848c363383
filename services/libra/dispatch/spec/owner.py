"""The team that owns a new run."""

from __future__ import annotations

import asyncio

from libra.core.access import team_scope
from libra.core.errors import FailedPrecondition
from libra.dispatch.spec.judge_resolution import MODEL_OPTION
from libra.dispatch.spec.run_spec import ResolvedSpec
from libra.store.client import Store


class RunOwners:
    """Decides whose a run is: its results show what its models, tasks and source run are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def owner_of(self, resolved: ResolvedSpec) -> str:
        """Return the team of the caller or, for a caller without one, the team whose things the run uses.

        Raises FailedPrecondition if they belong to several teams.
        """
        team = team_scope.current()
        if team is not None:
            return team
        spec, sections = resolved.spec, resolved.sections
        judges = [section.judge.options.get(MODEL_OPTION, "") for section in sections]
        names = sorted({*spec.models, *judges, spec.judge_model, spec.attack_model} - {""})
        models, tasks, source = await asyncio.gather(
            asyncio.gather(*map(self._store.models.get, names)),
            asyncio.gather(*map(self._store.tasks.get, sorted({section.task for section in sections}))),
            self._store.runs.get(spec.rejudges),
        )
        owners = [each.team for each in (*models, *tasks) if each is not None]
        try:
            return team_scope.common_owner([*owners, *([source.run.team] if source else [])])
        except FailedPrecondition as error:
            raise FailedPrecondition(f"the run cannot be created: {error.message}", field="spec") from None
