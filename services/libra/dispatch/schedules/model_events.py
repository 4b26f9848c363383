"""Store a firing for each registration of a model that a schedule waits for."""

from __future__ import annotations

from fnmatch import fnmatchcase

from libra.core.access.team_scope import SHARED
from libra.dispatch.schedules.firing_ids import model_id
from libra.store.client import Store
from libra.v1.model_pb2 import Model
from libra.v1.schedule_pb2 import Firing, FiringCause, FiringState, Schedule


class ModelEvents:
    """Compares the registered models with the firings that are stored.

    The registry itself is the record of the events, so that no event is lost when a dispatch dies between storing a
    model and anything else.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stored: set[str] = set()
        """Ids of firings that are known to be stored, to spare a query at each poll."""

    async def fire(self) -> None:
        """Store the firings that are missing. Any number of replicas may call it at the same time."""
        schedules = [record.schedule for record in await self._store.schedules.list_by_model()]
        if not schedules:
            return
        models = await self._store.models.list()
        firings = {
            firing.id: firing
            for schedule in schedules
            for firing in (_firing(schedule, model) for model in models if fires(schedule, model))
        }
        self._stored &= firings.keys()
        if missing := firings.keys() - self._stored:
            missing -= await self._store.firings.find_existing(missing)
            for name in sorted(missing):
                await self._store.firings.insert(firings[name])
            self._stored |= firings.keys()


def fires(schedule: Schedule, model: Model) -> bool:
    """Return whether the registration of a model fires a schedule: one of a team sees the models of its team."""
    is_new = model.create_time.ToNanoseconds() > schedule.start_time.ToNanoseconds()
    is_seen = model.team in (SHARED, schedule.team)
    return is_new and is_seen and fnmatchcase(model.name, schedule.on_model)


def _firing(schedule: Schedule, model: Model) -> Firing:
    return Firing(
        id=model_id(schedule, model),
        schedule=schedule.name,
        schedule_id=schedule.id,
        cause=FiringCause.FIRING_CAUSE_MODEL,
        time=model.create_time,
        model=model.name,
        state=FiringState.FIRING_STATE_PENDING,
        team=schedule.team,
    )
