"""One answer: requested, retried, given up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from opentelemetry.trace import NoOpTracer
from prometheus_client import CollectorRegistry

from libra.core.errors import Unavailable
from libra.core.sealed import sealing
from libra.gateway.completion.job import CompletionJob
from libra.gateway.completion.lookup import Lookup
from libra.gateway.completion.model_client import ModelClient, for_all_teams, withhold_words
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.model_channel import ModelChannel
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.gateway.settings import Settings
from libra.telemetry.metrics import Metrics
from libra.testing.virtual_time import simulate
from libra.v1.completion_pb2 import Adjustment, Completion, FinishReason, GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits, ModelPrice

MODEL = Model(name="m", price=ModelPrice(usd_per_million_prompt_tokens=3, usd_per_million_completion_tokens=4))
YES = ProviderAnswer("yes", FinishReason.FINISH_REASON_STOP, 1_000_000, 500_000)


@dataclass
class MemoryCompletions:
    """A store without answers, unless another replica stores one after the first read."""

    later: dict[str, Completion] = field(default_factory=dict)
    reads: int = 0

    async def find(self, keys: Sequence[str]) -> dict[str, Completion]:
        self.reads += 1
        return self.later if self.reads > 1 else {}

    async def put(self, completion: Completion, messages: Sequence[Message] = ()) -> Completion:
        raise AssertionError("the model client stores nothing")


@dataclass
class ResultsInOrder:
    """A provider that returns its results in order, after one second each."""

    results: list[ProviderResult | Exception]
    times: list[float] = field(default_factory=list)

    async def ask(self, request: CompletionRequest) -> ProviderResult:
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(1)
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


def client_of(provider: ResultsInOrder) -> ModelClient:
    writer = CompletionWriter(MemoryCompletions(), 1)  # type: ignore[arg-type]  # the part of a store that is needed here
    return ModelClient(provider, writer, replace(Settings().retry_policy(), attempts=3), lambda: 0.5, NoOpTracer())  # type: ignore[arg-type]  # a provider is enough


def job_of(
    model: Model = MODEL, registry: CollectorRegistry | None = None, store: MemoryCompletions | None = None
) -> CompletionJob:
    request = CompletionRequest(model, GenerationParameters(), (Message(role="user", content="hello"),))
    channel = ModelChannel(model, Metrics(registry or CollectorRegistry()))
    job = CompletionJob("key", request, channel, Lane.BATCH, Lookup((store or MemoryCompletions()).find))
    job.waiters = 1
    return job


async def answer(provider: ResultsInOrder, job: CompletionJob) -> Completion:
    completion = await client_of(provider).ask(job)
    assert completion is not None  # no request is adjusted here
    return completion


def complete(
    *results: ProviderResult | Exception, registry: CollectorRegistry | None = None
) -> tuple[Completion, list[float]]:
    """Return the completion, and when the requests began."""
    provider = ResultsInOrder(list(results))

    async def world() -> Completion:
        return await answer(provider, job_of(registry=registry))

    return simulate(world()), provider.times


def test_the_cost_of_an_answer_follows_the_prices_of_the_model() -> None:
    registry = CollectorRegistry()
    completion, _ = complete(YES, registry=registry)
    assert completion.cost_usd == 5.0
    assert registry.get_sample_value("libra_provider_cost_usd_total", {"model": "m"}) == 5.0
    tokens = {"model": "m", "kind": "completion"}
    assert registry.get_sample_value("libra_provider_tokens_total", tokens) == 500_000
    assert registry.get_sample_value("libra_provider_in_flight", {"model": "m"}) == 0


def test_a_failed_request_is_repeated_with_growing_waits() -> None:
    failure = ProviderFault("ouch", FaultKind.PASSING)
    completion, times = complete(failure, failure, YES)
    assert (completion.text, completion.attempts) == ("yes", 3)
    assert times == pytest.approx([0, 1.5, 3.5], abs=0.01)
    completion, times = complete(failure, failure, failure)
    assert completion.error == "given up after 3 requests: ouch"
    assert len(times) == completion.attempts == 3


def test_a_retry_after_is_waited_for() -> None:
    completion, times = complete(ProviderFault("slow", FaultKind.SLOW_DOWN, 30), YES)
    assert completion.attempts == 2
    assert times[1] == pytest.approx(31, abs=0.01)
    assert times[1] >= 31


def test_waiting_for_a_permit_does_not_count_against_the_retry_budget() -> None:
    provider = ResultsInOrder([ProviderFault("ouch", FaultKind.PASSING), YES])

    async def world() -> Completion:
        client = client_of(provider)
        job = job_of(Model(name="m", limits=ModelLimits(max_in_flight=1)))
        limiter = job.channel.limiter
        permit = await limiter.acquire(Lane.BATCH)
        asking = asyncio.create_task(answer(provider, job))
        await asyncio.sleep(10 * client.policy.budget_seconds)
        limiter.release(permit)
        return await asking

    assert simulate(world()).text == "yes"


def test_every_request_is_counted_by_its_outcome() -> None:
    registry = CollectorRegistry()
    complete(
        ProviderFault("slow", FaultKind.SLOW_DOWN),
        ProviderFault("late", FaultKind.TIMEOUT),
        ProviderFault("no", FaultKind.FINAL),
        registry=registry,
    )
    for outcome in ("slow_down", "timeout", "refused"):
        labels = {"model": "m", "outcome": outcome}
        assert registry.get_sample_value("libra_provider_requests_total", labels) == 1


def test_a_bug_fails_this_answer_only() -> None:
    completion, _ = complete(RuntimeError("oops"))
    assert completion.finish_reason == FinishReason.FINISH_REASON_ERROR
    assert completion.error == "RuntimeError: a bug in the gateway; see its log"


def test_the_end_of_the_process_is_not_an_answer() -> None:
    with pytest.raises(Unavailable):
        complete(Unavailable("closing"))


def test_an_answer_that_another_replica_stores_during_the_wait_is_not_requested_again() -> None:
    async def story() -> None:
        provider = ResultsInOrder([ProviderFault("busy", FaultKind.PASSING, retry_after_seconds=5)])
        job = job_of(store=MemoryCompletions({"key": Completion(id="key", text="from another replica")}))
        found = await answer(provider, job)
        assert found.text == "from another replica"
        assert len(provider.times) == 1
        assert job.channel.limiter.in_flight == 0
        assert not job.is_paid

    simulate(story())


@pytest.mark.parametrize("sealed", [True, False])
async def test_the_words_of_an_endpoint_about_a_sealed_sample_are_withheld(*, sealed: bool) -> None:
    sealing.enter(sealed=sealed)
    adjustment = Adjustment(parameter="temperature", words="not for: zebrafish")
    fault = ProviderFault("Invalid prompt: zebrafish", FaultKind.FINAL, adjustment=adjustment)
    shown = withhold_words(fault)
    assert isinstance(shown, ProviderFault)
    assert ("zebrafish" in f"{shown.reason} {shown.adjustment}") is not sealed
    assert (shown.kind, shown.adjustment and shown.adjustment.parameter) == (FaultKind.FINAL, "temperature")
    assert fault.reason == "Invalid prompt: zebrafish"
    answered = ProviderAnswer("zebrafish", FinishReason.FINISH_REASON_STOP)
    assert withhold_words(answered) is answered


@pytest.mark.parametrize(
    ("owner", "team", "has_words"),
    [("", "", True), ("red", "red", True), ("", "red", False), ("red", "", False)],
)
def test_the_health_of_a_shared_model_has_no_words_about_a_prompt_of_a_team(
    owner: str, team: str, *, has_words: bool
) -> None:
    adjustment = Adjustment(parameter="temperature", words="temperature of 'my prompt'")
    fault = ProviderFault("it refuses 'my prompt'", FaultKind.FINAL, adjustment=adjustment)
    request = CompletionRequest(Model(name="m", team=owner), GenerationParameters(), (), team=team)
    shown = for_all_teams(request, fault)
    assert isinstance(shown, ProviderFault)
    assert shown.adjustment is not None
    assert ("my prompt" in shown.reason, "my prompt" in shown.adjustment.words) == (has_words, has_words)
    assert (shown.kind, shown.adjustment.parameter) == (FaultKind.FINAL, "temperature")
    assert for_all_teams(request, YES) is YES
