"""Runs one stage runner for every registered model."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import structlog

from libra.bus.nats_bus import NatsBus
from libra.bus.streams import gateway_consumer
from libra.core.errors import Unavailable
from libra.gateway.components import Components
from libra.gateway.limits.prefetch import PrefetchingBus
from libra.gateway.model_channel import ModelChannel
from libra.gateway.quota.lease_manager import LeaseManager
from libra.gateway.stage import stage
from libra.stage.runner import run
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics
from libra.v1.model_pb2 import Model

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Runner:
    """The stage runner of one model, and the channel that its requests use."""

    channel: ModelChannel
    task: asyncio.Task[None]
    stop: asyncio.Event

    def halt(self) -> None:
        """Take no more batches. Requests in flight are answered, the rest goes back to the queue."""
        self.stop.set()
        self.channel.close()


class ModelSupervisor:
    """Compares its runners with the registered models every two seconds. A changed model counts as a new one."""

    def __init__(self, components: Components, leases: LeaseManager, bus: NatsBus, metrics: Metrics) -> None:
        """`leases` is the manager that observes the channels of the components."""
        self._components, self._leases, self._bus, self._metrics = components, leases, bus, metrics
        self._runners: dict[str, _Runner] = {}
        self._stopping: set[asyncio.Task[None]] = set()

    async def work(self, stop: asyncio.Event) -> None:
        """Supervise the runners until `stop` is set, then drain them. Raises the error that ended a runner."""
        supervising, stopping = asyncio.create_task(self._supervise()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({supervising, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if supervising.done():
                supervising.result()
        finally:
            # A read of the registered models may hang for as long as a frozen mongod lets it.
            supervising.cancel()
            stopping.cancel()
            await self._drain()

    async def _supervise(self) -> None:
        while True:
            with contextlib.suppress(Unavailable):  # readiness reports the outage; the runners continue
                await self._update_runners()
            await asyncio.sleep(self._components.settings.look_seconds)

    async def _drain(self) -> None:
        """End every runner, then the requests of callers. Both share the time of the drain."""
        now = asyncio.get_running_loop().time
        until = now() + self._components.settings.drain_seconds
        for runner in self._runners.values():
            runner.halt()
        tasks = [*self._stopping, *(runner.task for runner in self._runners.values())]
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._components.close(max(0.0, until - now()))
        await self._leases.close()

    async def _update_runners(self) -> None:
        self._leases.check()
        models = {model.name: model for model in await self._components.models.list()}
        for name, runner in list(self._runners.items()):
            if runner.task.done():
                runner.task.result()
            # Not only the model: one that was changed and changed back has a new channel, too.
            model = models.get(name)
            if model is None or self._components.channels.get(model) is not runner.channel:
                self._end(name, runner)
        for name, model in models.items():
            if name not in self._runners:
                self._begin(model)

    def _begin(self, model: Model) -> None:
        channel, stop = self._components.channels.get(model), asyncio.Event()
        task = asyncio.create_task(self._run(channel, stop), name=f"runner of {model.name}")
        self._runners[model.name] = _Runner(channel, task, stop)
        log.info("the batches of a model are now processed", action=Action.MODEL_TAKEN_UP, model=model.name)

    def _end(self, name: str, runner: _Runner) -> None:
        del self._runners[name]
        runner.halt()
        self._components.channels.retire(runner.channel)
        self._stopping.add(runner.task)
        runner.task.add_done_callback(self._stopping.discard)
        log.info(
            "the batches of a model are no longer processed: it was deleted or changed",
            action=Action.MODEL_LEFT,
            model=name,
        )

    async def _run(self, channel: ModelChannel, stop: asyncio.Event) -> None:
        bus, consumer = PrefetchingBus(self._bus, channel.trial_budget), gateway_consumer(channel.model.name)
        await run(stage(channel, self._components), consumer, bus, stop, self._metrics)
