"""One answer: asked for, asked for again, given up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from opentelemetry.trace import NoOpTracer
from prometheus_client import CollectorRegistry

from libra.errors import Unavailable
from libra.gateway.completion.request import CompletionRequest
from libra.gateway.completion.single_flight import Flight
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.limits.limiter import Lane
from libra.gateway.model_channel import ModelChannel
from libra.gateway.model_client import ModelClient
from libra.gateway.provider.result import Answer, Fault, Kind, Reply
from libra.gateway.provider.retry import RetryPolicy
from libra.telemetry.metrics import Metrics
from libra.testing.virtual_time import simulate
from libra.v1.completion_pb2 import Completion, FinishReason, GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits, ModelPrice

MODEL = Model(name="m", price=ModelPrice(usd_per_million_prompt_tokens=3, usd_per_million_completion_tokens=4))
QUESTION = CompletionRequest(MODEL, GenerationParameters(), (Message(role="user", content="hello"),))
YES = Answer("yes", FinishReason.FINISH_REASON_STOP, 1_000_000, 500_000)


class Shelf:
    """Keeps nothing: it is not asked to here."""

    async def insert_or_get(self, completion: Completion, messages: Sequence[Message] = ()) -> Completion:
        raise AssertionError


@dataclass
class Scripted:
    """Replies in order, one second each."""

    replies: list[Reply | Exception]
    times: list[float] = field(default_factory=list)

    async def ask(self, question: CompletionRequest) -> Reply:
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(1)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


def asker_of(provider: Scripted) -> ModelClient:
    keeper = CompletionWriter(Shelf(), 1)  # type: ignore[arg-type]  # all of a store that is needed here
    return ModelClient(provider, keeper, RetryPolicy(attempts=3), lambda: 0.5, NoOpTracer())  # type: ignore[arg-type]  # of providers too


def waited_for() -> Flight[Completion]:
    shared: Flight[Completion] = Flight()
    shared.waiters = 1
    return shared


def asked(*replies: Reply | Exception, registry: CollectorRegistry | None = None) -> tuple[Completion, list[float]]:
    """Return the completion, and when the requests began."""
    provider = Scripted(list(replies))

    async def world() -> Completion:
        line = ModelChannel(MODEL, Metrics(registry or CollectorRegistry()))
        return await asker_of(provider).ask("name", QUESTION, line, Lane.BATCH, waited_for())

    return simulate(world()), provider.times


def test_an_answer_costs_what_the_entry_says() -> None:
    registry = CollectorRegistry()
    completion, _ = asked(YES, registry=registry)
    assert completion.cost_usd == 5.0
    assert registry.get_sample_value("libra_provider_cost_usd_total", {"model": "m"}) == 5.0
    tokens = {"model": "m", "kind": "completion"}
    assert registry.get_sample_value("libra_provider_tokens_total", tokens) == 500_000
    assert registry.get_sample_value("libra_provider_in_flight", {"model": "m"}) == 0


def test_what_fails_is_asked_again_with_growing_waits() -> None:
    ouch = Fault("ouch", Kind.PASSING)
    completion, times = asked(ouch, ouch, YES)
    assert (completion.text, completion.attempts) == ("yes", 3)
    assert times == pytest.approx([0, 1.5, 3.5], abs=0.01)
    completion, times = asked(ouch, ouch, ouch)
    assert completion.error == "given up after 3 requests: ouch"
    assert len(times) == completion.attempts == 3


def test_a_retry_after_is_waited_for() -> None:
    completion, times = asked(Fault("slow", Kind.SLOW_DOWN, 30), YES)
    assert completion.attempts == 2
    assert times[1] == pytest.approx(31, abs=0.01)
    assert times[1] >= 31


def test_a_long_queue_uses_up_no_patience() -> None:
    provider = Scripted([Fault("ouch", Kind.PASSING), YES])

    async def world() -> Completion:
        asker = asker_of(provider)
        line = ModelChannel(Model(name="m", limits=ModelLimits(max_in_flight=1)), Metrics(CollectorRegistry()))
        held = await line.limiter.acquire(Lane.BATCH)
        asking = asyncio.create_task(asker.ask("name", QUESTION, line, Lane.BATCH, waited_for()))
        await asyncio.sleep(10 * asker.policy.budget_seconds)
        line.limiter.release(held)
        return await asking

    assert simulate(world()).text == "yes"


def test_every_request_is_counted_by_its_outcome() -> None:
    registry = CollectorRegistry()
    asked(Fault("slow", Kind.SLOW_DOWN), Fault("late", Kind.TIMEOUT), Fault("no", Kind.FINAL), registry=registry)
    for outcome in ("slow_down", "timeout", "refused"):
        labels = {"model": "m", "outcome": outcome}
        assert registry.get_sample_value("libra_provider_requests_total", labels) == 1


def test_a_bug_costs_this_answer_and_nothing_else() -> None:
    completion, _ = asked(RuntimeError("oops"))
    assert completion.finish_reason == FinishReason.FINISH_REASON_ERROR
    assert completion.error == "RuntimeError: a bug in the gateway; its log tells more"


def test_the_end_of_the_process_is_no_answer() -> None:
    with pytest.raises(Unavailable):
        asked(Unavailable("closing"))


def test_what_is_answered_elsewhere_while_it_waits_is_not_asked_again() -> None:
    async def story() -> None:
        provider = Scripted([Fault("busy", Kind.PASSING, retry_after_seconds=5)])
        line = ModelChannel(MODEL, Metrics(CollectorRegistry()))
        answers = [None, Completion(id="name", text="from elsewhere")]

        async def known() -> Completion | None:
            return answers.pop(0)

        shared = waited_for()
        found = await asker_of(provider).ask("name", QUESTION, line, Lane.BATCH, shared, known)
        assert found.text == "from elsewhere"
        assert len(provider.times) == 1
        assert line.limiter.in_flight == 0
        assert not shared.under_way

    simulate(story())
