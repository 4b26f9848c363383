"""See to it that every registered model has its runner, and no other has one."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import structlog

from libra.bus.nats_bus import NatsBus
from libra.bus.streams import gateway_consumer
from libra.errors import Unavailable
from libra.gateway.components import Components
from libra.gateway.limits.prefetch import PrefetchingBus
from libra.gateway.limits.trial_budget import TrialBudget
from libra.gateway.model_channel import ModelChannel
from libra.gateway.provider.openai import timeout_of
from libra.gateway.quota.lease_manager import LeaseManager
from libra.gateway.quota.lease_renewer import Pace
from libra.gateway.stage import NAME, Trials, policy
from libra.stage.runner import Stage, run
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics
from libra.v1.batch_pb2 import TrialBatch
from libra.v1.model_pb2 import Model

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Runner:
    """The runner of one model, and the line its requests take."""

    line: ModelChannel
    task: asyncio.Task[None]
    stop: asyncio.Event

    def halt(self) -> None:
        """Take no more batches; the requests under way are answered, the rest is handed back."""
        self.stop.set()
        self.line.limiter.close()


class ModelSupervisor:
    """Looks at the registry every two seconds. A model whose entry is another than before is a new model."""

    def __init__(self, desk: Components, bus: NatsBus, metrics: Metrics) -> None:
        self._desk, self._bus, self._metrics = desk, bus, metrics
        self._runners: dict[str, _Runner] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._granting = LeaseManager(bus, Pace(desk.settings.renew_seconds))
        desk.lines.on_laid, desk.lines.on_forgotten = self._granting.take_up, self._granting.let_go

    async def work(self, stop: asyncio.Event) -> None:
        """Keep the runners until `stop` is set; then let each finish what is under way. Raises what a runner dies of."""
        looking, stopping = asyncio.create_task(self._keep_looking()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if looking.done():
                looking.result()
        finally:
            # A look may hang for as long as a frozen mongod lets it.
            looking.cancel()
            stopping.cancel()
            await self._wind_up()

    async def _keep_looking(self) -> None:
        while True:
            with contextlib.suppress(Unavailable):  # readiness says so; what runs goes on
                await self._look()
            await asyncio.sleep(self._desk.settings.look_seconds)

    async def _wind_up(self) -> None:
        """End every runner, then the requests of callers; each has until the drain is over."""
        now = asyncio.get_running_loop().time
        until = now() + self._desk.settings.drain_seconds
        for runner in self._runners.values():
            runner.halt()
        tasks = [*self._stopping, *(runner.task for runner in self._runners.values())]
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._desk.close(max(0.0, until - now()))
        await self._granting.close()

    async def _look(self) -> None:
        self._granting.check()
        models = {model.name: model for model in await self._desk.entries.list()}
        for name, runner in list(self._runners.items()):
            if runner.task.done():
                runner.task.result()
            if models.get(name) != runner.line.model:
                self._end(name, runner)
        for name, model in models.items():
            if name not in self._runners:
                self._begin(model)

    def _begin(self, model: Model) -> None:
        line, stop = self._desk.lines.to(model), asyncio.Event()
        task = asyncio.create_task(self._run(line, stop), name=f"runner of {model.name}")
        self._runners[model.name] = _Runner(line, task, stop)
        log.info("batches are taken for a model", action=Action.MODEL_TAKEN_UP, model=model.name)

    def _end(self, name: str, runner: _Runner) -> None:
        del self._runners[name]
        runner.halt()
        self._desk.lines.forget(runner.line)
        self._stopping.add(runner.task)
        runner.task.add_done_callback(self._stopping.discard)
        log.info("no more batches are taken for a model: its entry is gone", action=Action.MODEL_LEFT, model=name)

    async def _run(self, line: ModelChannel, stop: asyncio.Event) -> None:
        model, settings = line.model, self._desk.settings
        in_flight = line.limits.in_flight
        hand = TrialBudget(lambda: line.limiter.granted)
        line.limiter.on_grant = hand.changed.set
        trials = Trials(self._desk.entries, self._desk.completions, self._desk.ended, hand)
        worst_seconds = settings.retry_policy().worst_seconds(timeout_of(model)) + settings.hold_seconds
        stage = Stage(
            name=NAME,
            decode=TrialBatch.FromString,
            handle=trials.handle,
            policy=policy(in_flight, worst_seconds, settings.drain_seconds),
            trials=lambda batch: (batch.header.model, len(batch.trials)),
        )
        await run(stage, gateway_consumer(model.name), PrefetchingBus(self._bus, hand), stop, self._metrics)
