"""No limit is exceeded and no stored answer is requested again, whichever faults occur and whichever callers leave."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import pytest
from opentelemetry.trace import NoOpTracer
from prometheus_client import CollectorRegistry

from libra.core.errors import Unavailable
from libra.gateway.adjustments.memory import AdjustmentMemory
from libra.gateway.completion.completer import Completer
from libra.gateway.completion.model_client import ModelClient
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.model_channel import ModelChannels
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.gateway.settings import Settings
from libra.telemetry.metrics import Metrics
from libra.testing.memory import MemoryServer, MemoryStore
from libra.testing.virtual_time import simulate
from libra.v1.completion_pb2 import Completion, FinishReason, GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits

IN_FLIGHT, PER_MINUTE = 4, 60
MODEL = Model(name="m", limits=ModelLimits(max_in_flight=IN_FLIGHT, requests_per_minute=PER_MINUTE))
ERROR = FinishReason.FINISH_REASON_ERROR


@dataclass
class FlakyStore:
    """A store in memory that is down at times. A completion whose write it has confirmed stays stored."""

    rng: random.Random
    stored: dict[str, Completion] = field(default_factory=dict)
    down: bool = False

    async def get_many(self, keys: Collection[str]) -> dict[str, Completion]:
        found = {key: self.stored[key] for key in keys if key in self.stored}
        await self._work()
        return found

    async def insert_or_get(self, completion: Completion, messages: Sequence[Message] = ()) -> Completion:
        await self._work()
        return self.stored.setdefault(completion.id, completion)

    async def _work(self) -> None:
        await asyncio.sleep(self.rng.random() * 0.1)
        if self.down:
            raise Unavailable("the store is down")

    async def toggle(self) -> None:
        while True:
            await asyncio.sleep(self.rng.random() * 60)
            self.down = not self.down


@dataclass
class FaultyProvider:
    """A provider that fails at random, and checks its limits."""

    rng: random.Random
    answered: Counter[str] = field(default_factory=Counter)
    starts: list[float] = field(default_factory=list)
    paused_until: float = 0.0
    in_flight: int = 0

    async def ask(self, request: CompletionRequest) -> ProviderResult:
        now = asyncio.get_running_loop().time()
        assert now >= self.paused_until, "a request began before the Retry-After was over"
        self.starts.append(now)
        self.in_flight += 1
        assert self.in_flight <= IN_FLIGHT
        try:
            await asyncio.sleep(self.rng.random() * 5)
        finally:
            self.in_flight -= 1
        match self.rng.random():
            case chance if chance < 0.1:
                return ProviderFault("the provider failed", FaultKind.PASSING)
            case chance if chance < 0.15:
                self.paused_until = max(self.paused_until, asyncio.get_running_loop().time() + 7)
                return ProviderFault("slow down", FaultKind.SLOW_DOWN, 7.0)
            case chance if chance < 0.2:
                return ProviderFault("no", FaultKind.FINAL)
        self.answered[request.messages[0].content] += 1
        return ProviderAnswer("yes", FinishReason.FINISH_REASON_STOP)


@dataclass
class Caller:
    """Requests four answers, and may stop waiting."""

    rng: random.Random
    completer: Completer
    faults: int = 0

    async def call(self) -> None:
        await asyncio.sleep(self.rng.random() * 200)
        requests = [
            CompletionRequest(MODEL, GenerationParameters(), (Message(role="user", content=self._text()),))
            for _ in "1234"
        ]
        lane = self.rng.choice(list(Lane))
        try:
            async with asyncio.timeout(self.rng.choice([3, 30, 100_000])):
                answers = await self.completer.complete(requests, lane)
        except (Unavailable, TimeoutError):
            self.faults += 1
            return
        assert len(answers) == len(requests)
        assert all(each.text == "yes" or each.finish_reason == ERROR for each in answers)

    def _text(self) -> str:
        return f"question {self.rng.randrange(60)}"


@pytest.mark.parametrize("seed", range(40))
def test_no_limit_is_exceeded_and_no_answer_is_requested_twice(seed: int) -> None:
    rng = random.Random(seed)
    store, provider = FlakyStore(rng), FaultyProvider(rng)

    policy = replace(Settings().retry_policy(), attempts=3)

    async def run_callers() -> None:
        writer = CompletionWriter(store, hold_seconds=100_000)  # type: ignore[arg-type]  # in memory
        model_client = ModelClient(provider, writer, policy, rng.random, NoOpTracer())  # type: ignore[arg-type]  # a fake provider
        adjustments = AdjustmentMemory(MemoryStore(MemoryServer()).adjustments, 2)  # type: ignore[arg-type]  # in memory
        channels = ModelChannels(Metrics(CollectorRegistry()))
        completer = Completer(store, model_client, writer, channels, adjustments)  # type: ignore[arg-type]  # in memory
        toggling = asyncio.create_task(store.toggle())
        await asyncio.gather(*(Caller(rng, completer).call() for _ in range(80)))
        toggling.cancel()
        store.down = False
        await completer.drain(1_000)

    simulate(run_callers())
    assert provider.in_flight == 0
    assert max(provider.answered.values(), default=0) <= 1
    assert set(provider.answered) == {f"question {n}" for n in range(60)} & set(provider.answered)
    assert len(store.stored) == len(provider.answered)
    for index, start in enumerate(provider.starts[PER_MINUTE:]):
        assert start - provider.starts[index] >= 60
