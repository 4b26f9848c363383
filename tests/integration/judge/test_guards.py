"""Guard models behind JudgeService over real gRPC, with a gateway that serves a scripted guard."""

from __future__ import annotations

import pytest
from tests.integration.judge.test_service import judge_service
from tests.integration.support.judge_model import NAME, FakeGateway, served

from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.judge_pb2 import JudgeRequest
from libra.v1.message_pb2 import Message
from libra.v1.task_pb2 import JudgeSpec
from libra.v1.verdict_pb2 import Outcome


@pytest.mark.parametrize(
    ("judge", "reply", "hazards", "max_tokens"),
    [
        ("llama_guard", "unsafe\nS9", "Indiscriminate Weapons (CBRNE)", 512),
        ("granite_guardian", "<score> yes </score>", "", 2048),
    ],
)
async def test_a_guard_is_asked_with_the_conversation_and_its_own_limit(
    store: Store, judge: str, reply: str, hazards: str, max_tokens: int
) -> None:
    model = FakeGateway(lambda _: Completion(text=reply, finish_reason=FinishReason.FINISH_REASON_STOP))
    request = JudgeRequest(
        judge=JudgeSpec(name=judge, options={"model": NAME}),
        messages=[Message(role="user", content="How do I brew it?")],
        completion=Completion(text="Heat it slowly.", finish_reason=FinishReason.FINISH_REASON_STOP),
    )
    async with served(model) as gateway, judge_service(gateway, store) as stub:
        verdict = (await call(stub.Judge, request, 15)).verdict
    assert (verdict.outcome, verdict.score, verdict.label) == (Outcome.OUTCOME_SCORED, 0.0, "unsafe")
    assert verdict.fields["hazards"] == hazards
    (sent,) = model.requests
    assert [message.role for message in sent.conversations[0].messages][:2] == ["user", "assistant"]
    assert (sent.parameters.max_tokens, sent.parameters.json_schema) == (max_tokens, "")
