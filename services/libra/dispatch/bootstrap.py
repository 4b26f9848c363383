"""What dispatch sees to before it takes its first call: the indexes, the built-in tasks, the reference models."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from libra.dispatch.spec.registry import reference
from libra.dispatch.tasks import builtin
from libra.errors import Conflict
from libra.store.client import Store
from libra.telemetry.log_actions import Action
from libra.v1.model_pb2 import Model, Provider

log = structlog.get_logger(__name__)

REFERENCE_MODELS = ("refuser", "complier", "careful")
"""They belong on every board: they show what the balance is for. Each is named for the rule it answers by."""


async def prepare(store: Store) -> None:
    """See to it that all of it is there, as it is at any start but the first."""
    await store.ensure_indexes()
    for name in REFERENCE_MODELS:
        with contextlib.suppress(Conflict):  # somebody gave the name to a model of their own
            await store.models.add(Model(name=name, provider=Provider.PROVIDER_SCRIPTED, remote_model=name))
    for task, samples in await asyncio.to_thread(lambda: list(builtin.load())):
        if await store.tasks.add(task, samples):
            log.info(
                "a built-in task was imported", action=Action.TASK_IMPORTED, task=reference(task), samples=len(samples)
            )
