"""What dispatch sees to before it takes its first call: the indexes and the built-in tasks are there."""

from __future__ import annotations

import structlog

from libra.dispatch import builtin
from libra.dispatch.registry import reference
from libra.store.client import Store
from libra.telemetry.actions import Action

log = structlog.get_logger(__name__)


async def prepare(store: Store) -> None:
    """Make the indexes and import the built-in tasks; both are there already at any start but the first."""
    await store.ensure_indexes()
    for task, samples in builtin.load():
        if await store.tasks.add(task, samples):
            log.info(
                "a built-in task was imported", action=Action.TASK_IMPORTED, task=reference(task), samples=len(samples)
            )
