"""One simulated history: two processes of each service in virtual time, from the creation of a run to its end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from structlog.testing import capture_logs

from libra.attack.catalogue import registry as attacks
from libra.attack.proto_mapping import to_proto as attack_to_proto
from libra.core.errors import Unavailable
from libra.core.spending.budget_ledger import Ledger, amount
from libra.dispatch.settings import Settings as DispatchSettings
from libra.dispatch.spec.registry import Registry, task_reference
from libra.dispatch.spec.rejudge import resolve_rejudge
from libra.dispatch.spec.run_spec import resolve
from libra.judge.proto_mapping import to_proto
from libra.judge.registry import JUDGES
from libra.process.workers import Workers
from libra.stage.bus import Outgoing, QueueFull
from libra.store.runs import RunRecord, RunSection, run_from_document, run_to_document
from libra.testing.hostile_bus import HostileBus
from libra.testing.killable_process import KillableProcess
from libra.testing.memory import MemoryServer, MemoryStore
from libra.testing.virtual_time import simulate
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits, Provider
from libra.v1.run_pb2 import Run, RunSpec, RunState
from libra.v1.task_pb2 import Category, JudgeSpec, Sample, Task

from .fault_plan import FaultPlan, TimeSpan
from .service_wiring import SERVICES, SimulatedContext
from .simulated_bus import SimulatedBus, SimulatedNatsServer
from .simulated_provider import ATTACK_MODEL, ProcessProvider, SimulatedProvider

LIMIT_SECONDS = 3_000
REPLICAS = 2
MODELS = ("m", "n.1")
IN_FLIGHT = 3
RUNS = ("01JZ0000000000000000000000", "01JZ0000000000000000000001")
REJUDGE_RUN = "01JZ0000000000000000000002"
EXACT = JudgeSpec(name="exact", options={"field": "answer"})


def tasks() -> list[Task]:
    """Return a few small tasks, so that a run has many batches of few trials."""
    return [
        Task(name=name, version="0123456789ab", category=category, sample_count=size, judge=EXACT)
        for name, category, size in (
            ("risky", Category.CATEGORY_DIRECT_RISKY, 3),
            ("sums", Category.CATEGORY_CAPABILITY, 4),
            ("words", Category.CATEGORY_CAPABILITY, 3),
        )
    ]


def samples(task: Task) -> list[Sample]:
    return [
        Sample(
            ordinal=ordinal,
            id=str(ordinal),
            messages=[Message(role="user", content=f"{task.name} {ordinal}?")],
            fields={"answer": "yes", "other": "no"},
        )
        for ordinal in range(task.sample_count)
    ]


def timestamped_dict(added_at: MutableMapping[str, float]) -> type[dict[str, Any]]:
    """Return a type of dictionary that records the time at which each key was added."""

    class TimestampedDict(dict[str, Any]):
        def setdefault(self, key: str, default: Any = None) -> Any:
            added_at.setdefault(key, asyncio.get_running_loop().time())
            return super().setdefault(key, default)

    return TimestampedDict


@dataclass
class PipelineSimulation:
    """The processes, servers and faults of one history, and its record."""

    plan: FaultPlan
    violations: list[str] = field(default_factory=list)
    """Errors that were detected during the history."""

    processes: list[KillableProcess] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    stored_at: dict[str, float] = field(default_factory=dict)
    """Time at which each completion was stored, by id."""

    logs: Sequence[MutableMapping[str, Any]] = ()
    seconds: float = 0.0
    resumes: int = 0
    """Number of times that the first run was resumed with a higher budget."""

    def __post_init__(self) -> None:
        plan = self.plan
        self.random = random.Random(f"world {plan.seed}")
        self.server = MemoryServer(seed=plan.seed, faults=plan.store_faults)
        self.server.completions = timestamped_dict(self.stored_at)()
        self.queue = HostileBus(seed=plan.seed, faults=plan.bus_faults)
        self.nats_server = SimulatedNatsServer(plan.seed, self.queue, plan.lost_signals)
        self.provider = SimulatedProvider(plan.seed, IN_FLIGHT)

    @classmethod
    def run_seed(cls, seed: int) -> PipelineSimulation:
        """Simulate the history of a seed and return it at its end."""
        simulation = cls(FaultPlan.from_seed(seed))
        random.seed(seed)
        with capture_logs() as logs:
            simulate(simulation.run(), limit_seconds=LIMIT_SECONDS)
        simulation.logs = logs
        return simulation

    async def run(self) -> None:
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        await self.prepare()
        replicas = [self.run_replica(service, number) for service in SERVICES for number in range(REPLICAS)]
        background = [asyncio.create_task(coroutine) for coroutine in (*replicas, *self.fault_tasks())]
        while self._is_running():
            await asyncio.sleep(1)
            await self._create_rejudge()
            self._resume()
            for task in background:
                if task.done():
                    task.result()
        self.seconds = asyncio.get_running_loop().time()
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        for process in self.processes:
            process.kill()
            await process.wait_until_gone()

    def _is_running(self) -> bool:
        states = {name: run["run"]["state"] for name, run in self.server.runs.items()}
        running = {RunState.RUN_STATE_RUNNING, RunState.RUN_STATE_BUDGET_EXHAUSTED}
        return not running.isdisjoint(states.values()) or (self.plan.rejudged and REJUDGE_RUN not in states)

    def _resume(self) -> None:
        """Resume the first run with more once it has used up its budget; check that it has not exceeded it."""
        document, budget = self.server.runs[RUNS[0]], self.server.budgets.get(RUNS[0])
        if budget is None:
            return
        limit, requests = budget["limit"]["requests"], len(self.provider.requests)
        if self.plan.cancelled_after is None and requests > limit:
            self.violations.append(f"{requests} requests were made within a budget of {limit}")
        if document["run"]["state"] == RunState.RUN_STATE_BUDGET_EXHAUSTED:
            budget["limit"]["requests"] += self.plan.budget_requests
            budget["exhausted"], budget["version"] = False, budget["version"] + 1
            document["run"]["state"] = RunState.RUN_STATE_RUNNING
            document["changes"] = document.get("changes", 0) + 1
            self.resumes += 1

    async def _create_rejudge(self) -> None:
        """Create the rejudging of the first run once the run has finished."""
        first = self.server.runs[RUNS[0]]["run"]["state"]
        if self.plan.rejudged and first == RunState.RUN_STATE_FINISHED and REJUDGE_RUN not in self.server.runs:
            source = run_from_document(self.server.runs[RUNS[0]])
            spec = RunSpec(rejudges=RUNS[0], judges={"*": "exact"}, judge_options={"field": "other"})
            resolved = resolve_rejudge(spec, source, self._registry())
            run = Run(id=REJUDGE_RUN, spec=resolved.spec, state=RunState.RUN_STATE_RUNNING)
            self.server.runs[REJUDGE_RUN] = run_to_document(RunRecord(run, resolved.sections))

    async def prepare(self) -> None:
        """Register models, import tasks and create runs, without faults."""
        store = MemoryStore(self.server)
        store_faults, self.server.faults = self.server.faults, MemoryServer().faults
        for name in (*MODELS, ATTACK_MODEL):
            limits = ModelLimits(max_in_flight=IN_FLIGHT, timeout_seconds=20)
            await store.models.add(Model(name=name, provider=Provider.PROVIDER_SCRIPTED, limits=limits))
        for task in tasks():
            await store.tasks.add(task, samples(task))
        record = self.create_record(RUNS[0], fresh=False)
        if self.plan.budget_requests:
            record.run.spec.budget.requests = self.plan.budget_requests
            await store.budgets.add(RUNS[0], Ledger(amount(requests=self.plan.budget_requests)))
        await store.runs.insert(record)
        if self.plan.cancelled_after is not None:
            await store.runs.insert(self.create_record(RUNS[1], fresh=self.plan.fresh))
        self.server.faults = store_faults

    def _registry(self) -> Registry:
        known = {task.name: task for task in tasks()} | {task_reference(task): task for task in tasks()}
        return Registry(
            models=frozenset((*MODELS, ATTACK_MODEL)),
            tasks=known,
            attacks={attack.name: attack_to_proto(attack) for attack in attacks.list_attacks()},
            judges={judge.name: to_proto(judge) for judge in JUDGES.values()},
        )

    def create_record(self, run: str, *, fresh: bool) -> RunRecord:
        run_attacks = ["none", "refusal_suppression", *(["persona_modulation"] if self.plan.model_attack else [])]
        spec = RunSpec(models=MODELS, tasks=["*"], attacks=run_attacks, epochs=2, seed=7, fresh=fresh)
        spec.attack_model = ATTACK_MODEL if self.plan.model_attack else ""
        resolved = resolve(spec, self._registry())
        sections = [self._with_unknown_judge(section) for section in resolved.sections]
        return RunRecord(Run(id=run, spec=resolved.spec, state=RunState.RUN_STATE_RUNNING), sections)

    def _with_unknown_judge(self, section: RunSection) -> RunSection:
        if not (self.plan.unknown_judge and section.task.startswith("words@")):
            return section
        return RunSection(section.task, section.attack, section.category, section.trials, JudgeSpec(name="unknown"))

    # Processes

    async def run_replica(self, service: str, number: int) -> None:
        """Run one process of the replica after another; the last one stays."""
        for generation in count():
            process, stop = self._process(f"{service} {number}.{generation}", generation), asyncio.Event()
            main_task = process.start(self.run_process(service, process, stop))
            await self._wait_for_end(process, stop, main_task, must_end=generation < self.plan.restarts)
            process.kill()
            await process.wait_until_gone()
            await asyncio.sleep(self.random.random() * 8)

    def _process(self, name: str, generation: int) -> KillableProcess:
        dies_at_call = generation < self.plan.restarts and self.random.random() < 0.6
        calls = self.random.randrange(2, 2 * self.plan.max_calls) if dies_at_call else None
        process = KillableProcess(name, calls=calls)
        self.processes.append(process)
        return process

    async def _wait_for_end(
        self, process: KillableProcess, stop: asyncio.Event, main_task: asyncio.Task[None], *, must_end: bool
    ) -> None:
        died = asyncio.create_task(process.died.wait())
        timeout = self.random.choice([3, 10, 40]) if must_end else None
        await asyncio.wait({died, main_task}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        died.cancel()
        if not process.dead and self.random.random() < 0.5:
            self.stopped.add(process.name)
            stop.set()
            await asyncio.wait({main_task})

    async def run_process(self, service: str, process: KillableProcess, stop: asyncio.Event) -> None:
        """Run a process from start to drain, as `libra.process` does."""
        bucket = 0 if self.plan.same_bucket else self.random.randrange(16)
        store = MemoryStore(self.server, bucket=bucket, transport=process)
        bus, provider = SimulatedBus(self.nats_server, process), ProcessProvider(self.provider, process)
        context = SimulatedContext(store, bus, provider, self.clock, self._settings())
        workers = Workers(SERVICES[service](context))
        ended = {asyncio.create_task(workers.wait_for_failure()), asyncio.create_task(stop.wait())}
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            self.violations.append(f"{process.name} failed on a bug")
        await workers.drain()
        await store.close()

    def clock(self) -> float:
        return self.server.now().timestamp()

    def _settings(self) -> DispatchSettings:
        return DispatchSettings(window_trials=self.plan.window_trials)

    # Faults

    def fault_tasks(self) -> list[Any]:
        plan = self.plan
        return [
            *(self.outage(span, self.server) for span in plan.store_outages),
            *(self.outage(span, self.queue) for span in plan.queue_outages),
            *(self.lose_data(after) for after in plan.data_losses),
            *(self.suspend(span) for span in plan.suspensions),
            *(self.replay() for _ in range(plan.replays)),
            *([self.cancel(plan.cancelled_after)] if plan.cancelled_after is not None else []),
        ]

    async def outage(self, span: TimeSpan, server: MemoryServer | HostileBus) -> None:
        await asyncio.sleep(span[0])
        server.down = True
        await asyncio.sleep(span[1])
        server.down = False

    async def lose_data(self, after: float) -> None:
        await asyncio.sleep(after)
        self.nats_server.lose_data()

    async def suspend(self, span: TimeSpan) -> None:
        await asyncio.sleep(span[0])
        process = self.random.choice(self.processes)
        process.suspend()
        await asyncio.sleep(span[1])
        process.resume()

    async def replay(self) -> None:
        await asyncio.sleep(self.random.choice([5.0, 10.0, 20.0, 40.0]))
        if self.nats_server.published:
            message = self.random.choice(list(self.nats_server.published.values()))
            copy = Outgoing(message.subject, f"{message.key}/again/{self.random.random()}", message.data)
            try:
                await self.queue.publish(copy, {})
            except (QueueFull, Unavailable):
                return

    async def cancel(self, after: float) -> None:
        await asyncio.sleep(after)
        run = self.server.runs[RUNS[1]]["run"]
        if run["state"] == RunState.RUN_STATE_RUNNING:
            run["state"] = RunState.RUN_STATE_CANCELLED

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.violations.append(f"an exception was not handled: {context.get('message')} {context.get('exception')!r}")
