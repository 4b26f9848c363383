"""One history: the services in their processes, two of each, from a run's creation to its end."""

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
from libra.dispatch.settings import Settings as DispatchSettings
from libra.dispatch.spec.registry import Registry, task_reference
from libra.dispatch.spec.rejudge import resolve_rejudge
from libra.dispatch.spec.run_spec import resolve
from libra.errors import Unavailable
from libra.judge.proto_mapping import to_proto
from libra.judge.registry import JUDGES
from libra.process.workers import Workers
from libra.stage.bus import Outgoing, QueueFull
from libra.store.runs import RunRecord, Section, document_of, record_of
from libra.testing.hostile_bus import HostileBus
from libra.testing.killable_process import KillableProcess
from libra.testing.memory import MemoryServer, MemoryStore
from libra.testing.virtual_time import simulate
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits, Provider
from libra.v1.run_pb2 import Run, RunSpec, RunState
from libra.v1.task_pb2 import Category, JudgeSpec, Sample, Task

from .fault_plan import Plan, Span
from .service_wiring import SERVICES, Means
from .simulated_bus import Exchange, Wire
from .simulated_provider import WRITER, Oracle, Window

LONGEST_SECONDS = 3_000
REPLICAS = 2
MODELS = ("m", "n.1")
IN_FLIGHT = 3
RUNS = ("01JZ0000000000000000000000", "01JZ0000000000000000000001")
REJUDGING = "01JZ0000000000000000000002"
EXACT = JudgeSpec(name="exact", options={"field": "answer"})


def tasks() -> list[Task]:
    """A few small tasks, so that a run has many batches of few trials."""
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


def dated(kept: MutableMapping[str, float]) -> type[dict[str, Any]]:
    """Return a dictionary that notes when each of its keys came."""

    class Dated(dict[str, Any]):
        def setdefault(self, key: str, default: Any = None) -> Any:
            kept.setdefault(key, asyncio.get_running_loop().time())
            return super().setdefault(key, default)

    return Dated


@dataclass
class World:
    """What there is, and what became of it."""

    plan: Plan
    faults: list[str] = field(default_factory=list)
    """What no history may hold, as it is come upon."""

    processes: list[KillableProcess] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    kept_at: dict[str, float] = field(default_factory=dict)
    """By completion, when it was stored."""

    logs: Sequence[MutableMapping[str, Any]] = ()
    seconds: float = 0.0

    def __post_init__(self) -> None:
        plan = self.plan
        self.random = random.Random(f"world {plan.seed}")
        self.server = MemoryServer(seed=plan.seed, trouble=plan.trouble)
        self.server.completions = dated(self.kept_at)()
        self.queue = HostileBus(seed=plan.seed, faults=plan.malice)
        self.exchange = Exchange(plan.seed, self.queue, plan.lost_signals)
        self.oracle = Oracle(plan.seed, IN_FLIGHT)
        self.calm = MemoryServer()
        self.store = MemoryStore(self.server)

    @classmethod
    def lived(cls, seed: int) -> World:
        """Return the world of this seed after its history."""
        world = cls(Plan.of(seed))
        random.seed(seed)
        with capture_logs() as logs:
            simulate(world.play(), limit_seconds=LONGEST_SECONDS)
        world.logs = logs
        return world

    async def play(self) -> None:
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        await self.prepare()
        places = [self.place(service, number) for service in SERVICES for number in range(REPLICAS)]
        going_on = [asyncio.create_task(one) for one in (*places, *self.troubles())]
        while self._goes_on():
            await asyncio.sleep(1)
            await self._judge_again()
            for task in going_on:
                if task.done():
                    task.result()
        self.seconds = asyncio.get_running_loop().time()
        for task in going_on:
            task.cancel()
        await asyncio.gather(*going_on, return_exceptions=True)
        for process in self.processes:
            process.kill()
            await process.wait_until_gone()

    def _goes_on(self) -> bool:
        states = {name: run["run"]["state"] for name, run in self.server.runs.items()}
        return RunState.RUN_STATE_RUNNING in states.values() or (self.plan.rejudged and REJUDGING not in states)

    async def _judge_again(self) -> None:
        """Create the rejudging of the first run once that has finished."""
        first = self.server.runs[RUNS[0]]["run"]["state"]
        if self.plan.rejudged and first == RunState.RUN_STATE_FINISHED and REJUDGING not in self.server.runs:
            source = record_of(self.server.runs[RUNS[0]])
            asked = RunSpec(rejudges=RUNS[0], judges={"*": "exact"}, judge_options={"field": "other"})
            resolved = resolve_rejudge(asked, source, self._known())
            run = Run(id=REJUDGING, spec=resolved.spec, state=RunState.RUN_STATE_RUNNING)
            self.server.runs[REJUDGING] = document_of(RunRecord(run, resolved.sections))

    async def prepare(self) -> None:
        """Register, import and create what a caller would, while nothing goes wrong yet."""
        calm = MemoryStore(self.server)
        trouble, self.server.trouble = self.server.trouble, MemoryServer().trouble
        for name in (*MODELS, WRITER):
            limits = ModelLimits(max_in_flight=IN_FLIGHT, timeout_seconds=20)
            await calm.models.add(Model(name=name, provider=Provider.PROVIDER_SCRIPTED, limits=limits))
        for task in tasks():
            await calm.tasks.add(task, samples(task))
        await calm.runs.insert(self.record(RUNS[0], fresh=False))
        if self.plan.cancelled_after is not None:
            await calm.runs.insert(self.record(RUNS[1], fresh=self.plan.fresh))
        self.server.trouble = trouble

    def _known(self) -> Registry:
        known = {task.name: task for task in tasks()} | {task_reference(task): task for task in tasks()}
        return Registry(
            models=frozenset((*MODELS, WRITER)),
            tasks=known,
            attacks={attack.name: attack_to_proto(attack) for attack in attacks.list_attacks()},
            judges={kind.name: to_proto(kind) for kind in JUDGES.values()},
        )

    def record(self, run: str, *, fresh: bool) -> RunRecord:
        attacks_put = ["none", "refusal_suppression", *(["tense_change"] if self.plan.written else [])]
        asked = RunSpec(models=MODELS, tasks=["*"], attacks=attacks_put, epochs=2, seed=7, fresh=fresh)
        asked.attack_model = WRITER if self.plan.written else ""
        resolved = resolve(asked, self._known())
        sections = [self._poisoned(section) for section in resolved.sections]
        return RunRecord(Run(id=run, spec=resolved.spec, state=RunState.RUN_STATE_RUNNING), sections)

    def _poisoned(self, section: Section) -> Section:
        if not (self.plan.poisoned and section.task.startswith("words@")):
            return section
        return Section(section.task, section.attack, section.category, section.trials, JudgeSpec(name="nobody"))

    # Processes

    async def place(self, service: str, number: int) -> None:
        """One process after the other; the last one stays."""
        for life in count():
            process, stop = self._process(f"{service} {number}.{life}", life), asyncio.Event()
            living = process.start(self.live(service, process, stop))
            await self._to_its_end(process, stop, living, mortal=life < self.plan.lives)
            process.kill()
            await process.wait_until_gone()
            await asyncio.sleep(self.random.random() * 8)

    def _process(self, name: str, life: int) -> KillableProcess:
        at_a_call = life < self.plan.lives and self.random.random() < 0.6
        process = KillableProcess(name, calls=self.random.randrange(2, 2 * self.plan.calls) if at_a_call else None)
        self.processes.append(process)
        return process

    async def _to_its_end(
        self, process: KillableProcess, stop: asyncio.Event, living: asyncio.Task[None], *, mortal: bool
    ) -> None:
        dying = asyncio.create_task(process.died.wait())
        timeout = self.random.choice([3, 10, 40]) if mortal else None
        await asyncio.wait({dying, living}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if not process.dead and self.random.random() < 0.5:
            self.stopped.add(process.name)
            stop.set()
            await asyncio.wait({living})

    async def live(self, service: str, process: KillableProcess, stop: asyncio.Event) -> None:
        """The life of a process, as `libra.process` leads it."""
        bucket = 0 if self.plan.same_bucket else self.random.randrange(16)
        store = MemoryStore(self.server, bucket=bucket, way=process)
        means = Means(store, Wire(self.exchange, process), Window(self.oracle, process), self.clock, self._settings())
        crew = Workers(SERVICES[service](means))
        ends = {asyncio.create_task(crew.wait_for_failure()), asyncio.create_task(stop.wait())}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            self.faults.append(f"{process.name} failed on a bug")
        await crew.drain()
        await store.close()

    def clock(self) -> float:
        return self.server.now().timestamp()

    def _settings(self) -> DispatchSettings:
        return DispatchSettings(window_trials=self.plan.window_trials)

    # Troubles

    def troubles(self) -> list[Any]:
        plan = self.plan
        return [
            *(self.outage(span, self.server) for span in plan.store_outages),
            *(self.outage(span, self.queue) for span in plan.queue_outages),
            *(self.loss(after) for after in plan.data_losses),
            *(self.freeze(span) for span in plan.freezes),
            *(self.replay() for _ in range(plan.replays)),
            *([self.cancel(plan.cancelled_after)] if plan.cancelled_after is not None else []),
        ]

    async def outage(self, span: Span, server: MemoryServer | HostileBus) -> None:
        await asyncio.sleep(span[0])
        server.down = True
        await asyncio.sleep(span[1])
        server.down = False

    async def loss(self, after: float) -> None:
        await asyncio.sleep(after)
        self.exchange.lose_data()

    async def freeze(self, span: Span) -> None:
        await asyncio.sleep(span[0])
        process = self.random.choice(self.processes)
        process.suspend()
        await asyncio.sleep(span[1])
        process.resume()

    async def replay(self) -> None:
        await asyncio.sleep(self.random.choice([5.0, 10.0, 20.0, 40.0]))
        if self.exchange.published:
            message = self.random.choice(list(self.exchange.published.values()))
            again = Outgoing(message.subject, f"{message.key}/again/{self.random.random()}", message.data)
            try:
                await self.queue.publish(again, {})
            except (QueueFull, Unavailable):
                return

    async def cancel(self, after: float) -> None:
        await asyncio.sleep(after)
        run = self.server.runs[RUNS[1]]["run"]
        if run["state"] == RunState.RUN_STATE_RUNNING:
            run["state"] = RunState.RUN_STATE_CANCELLED

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.faults.append(f"nobody took in: {context.get('message')} {context.get('exception')!r}")
