"""Prepare the store before dispatch serves its first call: indexes, reference models and built-in tasks."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from libra.core.errors import Conflict
from libra.dispatch.models.registration import ModelRegistration
from libra.dispatch.spec.registry import task_reference
from libra.dispatch.tasks import builtin
from libra.store.client import Store
from libra.telemetry.log_actions import Action
from libra.v1.model_pb2 import Model, Provider

log = structlog.get_logger(__name__)

REFERENCE_MODELS = ("refuser", "complier", "careful")
"""Scripted models for every board: they show how the balance rates extreme behaviour. Each is named for its rule."""


async def prepare(store: Store, registration: ModelRegistration) -> None:
    """Create what is missing; every start after the first changes nothing."""
    await store.ensure_indexes()
    for name in REFERENCE_MODELS:
        with contextlib.suppress(Conflict):  # a user has registered a model of their own under this name
            await store.models.add(Model(name=name, provider=Provider.PROVIDER_SCRIPTED, remote_model=name))
    # The earlier a model was registered, the more likely it names the right host of a key that two models name.
    for model in sorted(await store.models.list(), key=lambda model: model.create_time.ToNanoseconds()):
        await registration.bind_existing(model)
    for task, samples in await asyncio.to_thread(lambda: list(builtin.load())):
        if await store.tasks.add(task, samples):
            reference = task_reference(task)
            log.info("a built-in task was imported", action=Action.TASK_IMPORTED, task=reference, samples=len(samples))
