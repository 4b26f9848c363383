"""However answers fail, callers leave and the store goes away: no limit is passed, and nothing that is kept is asked again."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pytest
from opentelemetry.trace import NoOpTracer
from prometheus_client import CollectorRegistry

from libra.errors import Unavailable
from libra.gateway.completion.completions import Completions
from libra.gateway.completion.request import CompletionRequest
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.limits.limiter import Lane
from libra.gateway.model_channel import ModelChannels
from libra.gateway.model_client import ModelClient
from libra.gateway.provider.result import Answer, Fault, Kind, Reply
from libra.gateway.provider.retry import RetryPolicy
from libra.telemetry.metrics import Metrics
from libra.testing.virtual_time import simulate
from libra.v1.completion_pb2 import Completion, FinishReason, GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits

IN_FLIGHT, PER_MINUTE = 4, 60
MODEL = Model(name="m", limits=ModelLimits(max_in_flight=IN_FLIGHT, requests_per_minute=PER_MINUTE))
ERROR = FinishReason.FINISH_REASON_ERROR


@dataclass
class Shelf:
    """A store in memory that is away now and then. What it said it kept, it keeps."""

    rng: random.Random
    kept: dict[str, Completion] = field(default_factory=dict)
    away: bool = False

    async def get_many(self, ids: Collection[str]) -> dict[str, Completion]:
        found = {name: self.kept[name] for name in ids if name in self.kept}
        await self._work()
        return found

    async def insert_or_get(self, completion: Completion, messages: Sequence[Message] = ()) -> Completion:
        await self._work()
        return self.kept.setdefault(completion.id, completion)

    async def _work(self) -> None:
        await asyncio.sleep(self.rng.random() * 0.1)
        if self.away:
            raise Unavailable("the shelf is away")

    async def come_and_go(self) -> None:
        while True:
            await asyncio.sleep(self.rng.random() * 60)
            self.away = not self.away


@dataclass
class Oracle:
    """A provider with moods."""

    rng: random.Random
    answered: Counter[str] = field(default_factory=Counter)
    starts: list[float] = field(default_factory=list)
    silent_until: float = 0.0
    in_flight: int = 0

    async def ask(self, question: CompletionRequest) -> Reply:
        now = asyncio.get_running_loop().time()
        assert now >= self.silent_until, "asked before the Retry-After was over"
        self.starts.append(now)
        self.in_flight += 1
        assert self.in_flight <= IN_FLIGHT
        try:
            await asyncio.sleep(self.rng.random() * 5)
        finally:
            self.in_flight -= 1
        match self.rng.random():
            case chance if chance < 0.1:
                return Fault("ouch", Kind.PASSING)
            case chance if chance < 0.15:
                self.silent_until = max(self.silent_until, asyncio.get_running_loop().time() + 7)
                return Fault("slow down", Kind.SLOW_DOWN, 7.0)
            case chance if chance < 0.2:
                return Fault("no", Kind.FINAL)
        self.answered[question.messages[0].content] += 1
        return Answer("yes", FinishReason.FINISH_REASON_STOP)


@dataclass
class Caller:
    """Asks for a handful of answers, and may lose patience."""

    rng: random.Random
    completions: Completions
    faults: int = 0

    async def call(self) -> None:
        await asyncio.sleep(self.rng.random() * 200)
        asked = [
            CompletionRequest(MODEL, GenerationParameters(), (Message(role="user", content=self._text()),))
            for _ in "1234"
        ]
        lane = self.rng.choice(list(Lane))
        try:
            async with asyncio.timeout(self.rng.choice([3, 30, 100_000])):
                answers = await self.completions.answer(asked, lane)
        except (Unavailable, TimeoutError):
            self.faults += 1
            return
        assert len(answers) == len(asked)
        assert all(each.text == "yes" or each.finish_reason == ERROR for each in answers)

    def _text(self) -> str:
        return f"question {self.rng.randrange(60)}"


@pytest.mark.parametrize("seed", range(40))
def test_no_limit_is_passed_and_nothing_is_asked_twice(seed: int) -> None:
    rng = random.Random(seed)
    shelf, oracle = Shelf(rng), Oracle(rng)

    async def world() -> None:
        keeper = CompletionWriter(shelf, hold_seconds=100_000)  # type: ignore[arg-type]  # all of a store that is needed here
        asker = ModelClient(oracle, keeper, RetryPolicy(attempts=3), rng.random, NoOpTracer())  # type: ignore[arg-type]  # of providers too
        completions = Completions(shelf, asker, keeper, ModelChannels(Metrics(CollectorRegistry())))  # type: ignore[arg-type]  # as above
        moods = asyncio.create_task(shelf.come_and_go())
        await asyncio.gather(*(Caller(rng, completions).call() for _ in range(80)))
        moods.cancel()
        shelf.away = False
        await completions.settle(1_000)

    simulate(world())
    assert oracle.in_flight == 0
    assert max(oracle.answered.values(), default=0) <= 1
    assert set(oracle.answered) == {f"question {n}" for n in range(60)} & set(oracle.answered)
    assert len(shelf.kept) == len(oracle.answered)
    for place, start in enumerate(oracle.starts[PER_MINUTE:]):
        assert start - oracle.starts[place] >= 60
