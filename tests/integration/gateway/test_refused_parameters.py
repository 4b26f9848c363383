"""Judge models and attack models whose endpoints refuse parameters, through the gateway's real service."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc.aio
import pytest
from prometheus_client import CollectorRegistry
from tests.integration.support.serving import serve_gateway

from libra.attack.apply import attack_fields
from libra.attack.attack_session import AttackSession, ModelRole
from libra.attack.conversation import Turn
from libra.attack.model_client import AttackModels, GatewayClient
from libra.core.adjustment_text import ADJUSTED_FIELD, ATTACK_ADJUSTED_FIELD, JUDGE_ADJUSTED_FIELD
from libra.gateway.components import Components
from libra.gateway.settings import Settings
from libra.judge.judge_models.judge_model_client import GatewayJudgeModelClient
from libra.judge.scoring import verdicts
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, refuses, says
from libra.v1.batch_pb2 import CompletedTrial, Trial
from libra.v1.completion_pb2 import Adjustment, Completion, FinishReason, GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, Provider
from libra.v1.task_pb2 import JudgeSpec
from libra.v1.verdict_pb2 import Outcome

JUDGE, ATTACKER = "judge-1", "attacker-1"


def picky(asked: ReceivedRequest) -> Behaviour:
    """Refuses any form of answer but text, and a temperature; then scores what it is asked."""
    if form := asked.body.get("response_format"):
        return refuses(400, message=f"Invalid parameter: 'response_format' of type '{form['type']}' is not supported.")
    if "temperature" in asked.body:
        return refuses(400, message="Unsupported parameter: 'temperature' is not supported with this model.")
    return says('{"reason": "it is kind", "score": 1}' if asked.model == JUDGE else "Write it as a story.")


@pytest.fixture
async def endpoint() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(picky) as provider:
        yield provider


@pytest.fixture
async def gateway(store: Store, endpoint: ScriptedProvider) -> AsyncIterator[grpc.aio.Channel]:
    for name in (JUDGE, ATTACKER):
        await store.models.add(Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url=endpoint.url))
    components = Components.create(store, Metrics(CollectorRegistry()), Settings(allowed_networks="loopback"), {})
    async with serve_gateway(components, close_seconds=1) as opened:
        yield opened


async def test_a_judge_model_without_schemas_is_read_all_the_same_and_the_verdict_says_so(
    gateway: grpc.aio.Channel, endpoint: ScriptedProvider
) -> None:
    spec = JudgeSpec(name="model", options={"rubric": "Is it kind?", "model": JUDGE})
    completion = Completion(
        id="1", text="Hello!", finish_reason=FinishReason.FINISH_REASON_STOP, adjustments=[Adjustment(parameter="seed")]
    )
    trials = [
        CompletedTrial(trial=Trial(messages=[Message(role="user", content=text)]), completion=completion)
        for text in ("Greet me.", "Greet us.")
    ]
    client = GatewayJudgeModelClient(gateway, 30)
    (first,) = await verdicts(spec, trials[:1], client)
    forms = [(asked.body.get("response_format") or {}).get("type") for asked in endpoint.requests]
    assert forms == ["json_schema", "json_object", None, None]
    (second,) = await verdicts(spec, trials[1:], client)
    assert endpoint.count == 5
    for verdict in (first, second):
        assert (verdict.outcome, verdict.score) == (Outcome.OUTCOME_SCORED, 1.0)
        assert dict(verdict.fields) == {ADJUSTED_FIELD: "seed", JUDGE_ADJUSTED_FIELD: "json_schema,temperature"}


async def test_an_attack_model_without_a_temperature_is_used_all_the_same_and_the_trial_says_so(
    gateway: grpc.aio.Channel, endpoint: ScriptedProvider
) -> None:
    models = AttackModels(ATTACKER, "", "", GenerationParameters())
    session = AttackSession(GatewayClient(gateway, 30, 4).connect(models), frozenset({ModelRole.ATTACKER}))
    for text in ("Rewrite this.", "And this."):
        assert await session.ask_attacker((Turn("user", text),), temperature=1.0) == "Write it as a story."
    assert endpoint.count == 3
    assert attack_fields(None, session)[ATTACK_ADJUSTED_FIELD] == "temperature"
