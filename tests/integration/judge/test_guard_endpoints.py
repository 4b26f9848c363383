"""Guards behind a scripted HTTP endpoint that speaks each published form, through the gateway's real service."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc.aio
import pytest
from prometheus_client import CollectorRegistry
from tests.integration.support.serving import serve_gateway
from tests.unit.judge.judges.guards.guard_models import GUARDS, IDS, Script

from libra.gateway.components import Components
from libra.gateway.settings import Settings
from libra.judge.judge_models.judge_model_client import GatewayJudgeModelClient
from libra.judge.judged_answer import ChatMessage
from libra.judge.scoring import verdicts
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, says
from libra.v1.batch_pb2 import CompletedTrial, Trial
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, Provider
from libra.v1.task_pb2 import JudgeSpec
from libra.v1.verdict_pb2 import Outcome

SCRIPTS = {f"guard-{number}": script for number, (_, _, script) in enumerate(GUARDS)}


def guard_endpoint(asked: ReceivedRequest) -> Behaviour:
    """Reply as the guard that the model's name stands for."""
    script: Script = SCRIPTS[asked.model]
    assert "response_format" not in asked.body
    reply = script([ChatMessage(turn["role"], turn["content"]) for turn in asked.body["messages"]])
    assert isinstance(reply, str)
    return says(reply)


@pytest.fixture
async def gateway(store: Store) -> AsyncIterator[grpc.aio.Channel]:
    async with ScriptedProvider(guard_endpoint) as endpoint:
        for name in SCRIPTS:
            await store.models.add(Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url=endpoint.url))
        components = Components.create(store, Metrics(CollectorRegistry()), Settings(allowed_networks="loopback"), {})
        async with serve_gateway(components, close_seconds=1) as opened:
            yield opened


async def test_an_api_that_takes_no_answer_to_judge_is_named(gateway: grpc.aio.Channel, store: Store) -> None:
    await store.models.add(Model(name="elsewhere", provider=Provider.PROVIDER_ANTHROPIC, base_url="http://127.0.0.1:1"))
    spec = JudgeSpec(name="llama_guard", options={"model": "elsewhere"})
    completion = Completion(text="Hello", finish_reason=FinishReason.FINISH_REASON_STOP)
    trial = CompletedTrial(trial=Trial(messages=[Message(role="user", content="Well?")]), completion=completion)
    (verdict,) = await verdicts(spec, [trial], GatewayJudgeModelClient(gateway, 30))
    assert verdict.outcome == Outcome.OUTCOME_UNJUDGED
    assert "in the form prompt" in verdict.rationale


@pytest.mark.parametrize("number", range(len(GUARDS)), ids=IDS)
async def test_a_guard_is_asked_and_read_over_http(gateway: grpc.aio.Channel, number: int) -> None:
    name, options, _ = GUARDS[number]
    spec = JudgeSpec(name=name, options={"model": f"guard-{number}", **options})
    trials = [
        CompletedTrial(
            trial=Trial(messages=[Message(role="system", content="Be kind."), Message(role="user", content="Well?")]),
            completion=Completion(text=text, finish_reason=FinishReason.FINISH_REASON_STOP),
        )
        for text in ("Talk to them.", "Use poison.")
    ]
    safe, unsafe = await verdicts(spec, trials, GatewayJudgeModelClient(gateway, 30))
    assert [verdict.outcome for verdict in (safe, unsafe)] == [Outcome.OUTCOME_SCORED] * 2, safe.rationale
    assert (safe.score, unsafe.score < 0.2) == (1.0, True)
