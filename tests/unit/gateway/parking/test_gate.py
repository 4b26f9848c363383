"""Requests to a model that cannot be asked: held, probed, resumed and given up, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from opentelemetry.trace import NoOpTracer
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from libra.core.errors import Unavailable
from libra.gateway.adjustments.memory import AdjustmentMemory
from libra.gateway.completion.completer import Completer
from libra.gateway.completion.job import Patience
from libra.gateway.completion.model_client import ModelClient
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.model_channel import ModelChannels
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import BlockCause, FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.gateway.settings import Settings
from libra.telemetry.metrics import Metrics
from libra.testing.virtual_time import simulate
from libra.v1.completion_pb2 import Completion, FinishReason, GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits

IN_FLIGHT = 4
MODEL = Model(name="m", limits=ModelLimits(max_in_flight=IN_FLIGHT))
YES = ProviderAnswer("yes", FinishReason.FINISH_REASON_STOP)
REFUSED = ProviderFault("nobody listens", FaultKind.PASSING, block=BlockCause.UNREACHABLE)
NO_KEY = ProviderFault("wrong key", FaultKind.FINAL, block=BlockCause.KEY)
NO_QUOTA = ProviderFault("no quota", FaultKind.FINAL, block=BlockCause.QUOTA)
ERROR = FinishReason.FINISH_REASON_ERROR

Script = Callable[[float, str], ProviderResult]
"""Returns the result of a request from its time and text."""


class NoCompletions:
    """A store that forgets."""

    async def get_many(self, keys: object) -> dict[str, Completion]:
        return {}

    async def insert_or_get(self, completion: Completion, messages: object = ()) -> Completion:
        return completion


class NoAdjustments:
    async def list(self) -> dict[str, list[object]]:
        return {}


@dataclass
class World:
    """A completer on a provider with a script."""

    script: Script
    requests: list[tuple[float, str]] = field(default_factory=list)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        writer = CompletionWriter(NoCompletions(), 1)  # type: ignore[arg-type]  # the part of a store that is needed
        client = ModelClient(self, writer, Settings().retry_policy(), lambda: 0.5, NoOpTracer())  # type: ignore[arg-type]  # a provider is enough
        self.channels = ModelChannels(Metrics(self.registry))
        memory = AdjustmentMemory(NoAdjustments(), 2.0)  # type: ignore[arg-type]  # see above
        self.completer = Completer(NoCompletions(), client, writer, self.channels, memory)  # type: ignore[arg-type]  # see above

    async def ask(self, request: CompletionRequest) -> ProviderResult:
        now = asyncio.get_running_loop().time()
        self.requests.append((now, request.messages[0].content))
        await asyncio.sleep(0.5)
        return self.script(now, request.messages[0].content)

    async def complete(self, count: int, patience: Patience | None = None, name: str = "q") -> list[Completion]:
        requests = [
            CompletionRequest(MODEL, GenerationParameters(), (Message(role="user", content=f"{name}{n}"),))
            for n in range(count)
        ]
        return await self.completer.complete(requests, Lane.BATCH, patience=patience or Patience())

    def is_parked(self, cause: BlockCause) -> bool:
        return bool(self.registry.get_sample_value("libra_model_parked", {"model": "m", "cause": cause}))


def run(script: Script, count: int = 100) -> tuple[World, list[Completion], float]:
    """Return the world, the completions, and how many seconds they took."""

    async def live() -> tuple[World, list[Completion], float]:
        world = World(script)
        completions = await world.complete(count)
        return world, completions, asyncio.get_running_loop().time()

    return simulate(live())


def test_a_server_that_returns_answers_everything_within_seconds() -> None:
    world, completions, seconds = run(lambda now, _: REFUSED if now < 60 else YES)
    assert {each.text for each in completions} == {"yes"}
    assert len([at for at, _ in world.requests if at < 60]) <= IN_FLIGHT + 60 / 5
    assert seconds < 60 + 10 + 100 * 0.5 / IN_FLIGHT + 1


def test_a_server_that_dies_in_the_middle_loses_nothing() -> None:
    world, completions, _ = run(lambda now, _: REFUSED if 5 < now < 90 else YES)
    assert {each.text for each in completions} == {"yes"}
    assert len([at for at, _ in world.requests if 5 < at < 90]) < 40


def test_a_quota_costs_a_handful_of_requests_and_every_trial_is_answered_when_it_returns() -> None:
    world, completions, _ = run(lambda now, _: NO_QUOTA if now < 8 * 3600 else YES, count=1_000)
    assert {each.text for each in completions} == {"yes"}
    assert len([at for at, _ in world.requests if at < 8 * 3600]) <= IN_FLIGHT + 14


@pytest.mark.parametrize(("fault", "after_seconds"), [(NO_KEY, 600), (REFUSED, 600), (NO_QUOTA, 86_400)])
def test_all_requests_fail_together_with_the_reason(fault: ProviderFault, after_seconds: float) -> None:
    _, completions, seconds = run(lambda *_: fault, count=500)
    assert {each.finish_reason for each in completions} == {ERROR}
    assert all(fault.reason in each.error for each in completions)
    assert after_seconds <= seconds < after_seconds + 5


def test_requests_that_come_after_giving_up_fail_at_once() -> None:
    async def live() -> None:
        world = World(lambda *_: NO_KEY)
        await world.complete(10)
        asked, began = len(world.requests), asyncio.get_running_loop().time()
        assert all("wrong key" in each.error for each in await world.complete(1_000, name="late"))
        assert asyncio.get_running_loop().time() - began < 1
        assert len(world.requests) - asked <= 1

    simulate(live())


def test_a_new_run_asks_a_parked_model_at_once_and_waits_as_long_as_the_first() -> None:
    async def live() -> None:
        world = World(lambda now, _: NO_KEY if now < 900 else YES)
        loop = asyncio.get_running_loop()
        await world.complete(10)
        first = loop.time()
        completions = await world.complete(10, Patience(since=loop.time()), name="new")
        assert {each.text for each in completions} == {"yes"}
        assert any(first <= at < first + 6 for at, _ in world.requests)
        assert loop.time() < 900 + 301

    simulate(live())


def test_an_odd_request_does_not_park_a_model_that_answers_others() -> None:
    not_found = ProviderFault("no such thing", FaultKind.FINAL, block=BlockCause.UNKNOWN_MODEL)
    world, completions, seconds = run(lambda _, text: not_found if text == "q50" else YES)
    assert [each.error for each in completions if each.error] == ["no such thing"]
    assert [text for _, text in world.requests].count("q50") == 2
    assert seconds < 100 * 0.5 / IN_FLIGHT + 5


def test_a_key_that_is_revoked_in_the_middle_fails_no_request_before_the_time() -> None:
    world, completions, _ = run(lambda now, _: NO_KEY if 5 < now < 120 else YES)
    assert {each.text for each in completions} == {"yes"}
    assert len([at for at, _ in world.requests if 5 < at < 120]) < 20


def test_a_probe_whose_own_content_is_at_fault_gives_way_to_another() -> None:
    """The first request always fails like a wrong key; it must not keep the others from being asked."""
    _, completions, seconds = run(lambda now, text: NO_KEY if text == "q0" or now < 3 else YES, count=20)
    assert [bool(each.error) for each in completions] == [True] + [False] * 19
    assert seconds < 120


def test_a_call_is_told_to_come_again_while_trials_wait() -> None:
    async def live() -> None:
        world = World(lambda now, _: REFUSED if now < 100 else YES)
        trials = asyncio.create_task(world.complete(5))
        await asyncio.sleep(2)
        with pytest.raises(Unavailable, match="the model m is parked: nobody listens"):
            await world.complete(1, Patience(max_park_seconds=10.0), name="call")
        assert asyncio.get_running_loop().time() < 13
        assert {each.text for each in await trials} == {"yes"}

    simulate(live())


def test_the_metric_and_one_log_line_tell_that_a_model_is_parked_and_open_again() -> None:
    async def live() -> None:
        world = World(lambda now, _: REFUSED if now < 60 else YES)
        trials = asyncio.create_task(world.complete(100))
        await asyncio.sleep(2)
        assert world.is_parked(BlockCause.UNREACHABLE)
        assert not world.is_parked(BlockCause.KEY)
        await trials
        assert not world.is_parked(BlockCause.UNREACHABLE)

    with capture_logs() as logs:
        simulate(live())
    assert [entry["action"] for entry in logs] == ["model_parked", "model_unparked"]


def test_a_model_that_nobody_wants_any_more_is_open_again() -> None:
    async def live() -> None:
        world = World(lambda *_: REFUSED)
        trials = asyncio.create_task(world.complete(5))
        await asyncio.sleep(2)
        trials.cancel()
        await asyncio.sleep(70)
        assert world.channels.get(MODEL).gate.park is None

    simulate(live())


def test_a_closed_gate_turns_batches_away() -> None:
    async def live() -> None:
        world = World(lambda *_: REFUSED)
        trials = asyncio.create_task(world.complete(5))
        await asyncio.sleep(2)
        world.channels.get(MODEL).close()
        with pytest.raises(Unavailable):
            await trials

    simulate(live())
