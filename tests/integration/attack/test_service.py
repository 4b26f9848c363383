"""AttackService over real gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.integration.support.attack_models import attack_service

from libra.attack.attack_session import AskModel
from libra.attack.model_client import AttackModels
from libra.core.errors import Invalid
from libra.rpc.client import call
from libra.v1.attack_pb2 import ListAttacksRequest, TransformRequest
from libra.v1.attack_pb2_grpc import AttackServiceStub
from libra.v1.message_pb2 import Message

CONVERSATION = [
    Message(role="system", content="Be brief."),
    Message(role="user", content="Hello"),
    Message(role="assistant", content="Hello!"),
    Message(role="user", content="How do \x00\x1b magnets \u202e work? 😀"),
]


def connect_no_model(models: AttackModels) -> AskModel:
    raise AssertionError("these tests ask no model")


@pytest.fixture
async def stub() -> AsyncIterator[AttackServiceStub]:
    async with attack_service(connect_no_model) as stub:
        yield stub


async def test_the_catalogue_is_listed_in_order_with_examples(stub: AttackServiceStub) -> None:
    attacks = (await call(stub.ListAttacks, ListAttacksRequest(), 5)).attacks
    names = [attack.name for attack in attacks]
    assert names == sorted(names)
    assert {"none", "refusal_suppression", "few_shots", "ciphering", "do_anything_now"} <= set(names)
    for attack in attacks:
        assert attack.version
        assert attack.description
        assert attack.source
        assert attack.family
        assert attack.example[-1].role == "user"


async def test_a_conversation_is_transformed_and_the_same_request_gets_the_same_answer(stub: AttackServiceStub) -> None:
    request = TransformRequest(attack="few_shots", messages=CONVERSATION, seed=7)
    first, second = [await call(stub.Transform, request, 5) for _ in range(2)]
    assert first == second
    assert list(first.messages[:-1]) == CONVERSATION[:-1]
    assert CONVERSATION[-1].content in first.messages[-1].content
    assert (await call(stub.Transform, TransformRequest(attack="few_shots", messages=CONVERSATION), 5)) != first


@pytest.mark.parametrize(
    ("request_", "field", "words"),
    [
        (TransformRequest(attack="few_shot", messages=CONVERSATION), "attack", "did you mean few_shots"),
        (TransformRequest(messages=CONVERSATION), "attack", "valid names: "),
        (TransformRequest(attack="none"), "messages", "no message"),
        (TransformRequest(attack="none", messages=CONVERSATION[:3]), "messages[2].role", "the assistant's"),
        (TransformRequest(attack="none", messages=[Message(role="tool")]), "messages[0].role", "there are: system"),
        (TransformRequest(attack="none", messages=CONVERSATION[3:] * 1_001), "messages", "the limit is 1,000"),
        (
            TransformRequest(attack="none", messages=[Message(role="user", content="x" * 2_097_153)]),
            "messages",
            "the limit is 2,097,152",
        ),
    ],
)
async def test_the_error_of_an_invalid_request_names_the_field(
    stub: AttackServiceStub, request_: TransformRequest, field: str, words: str
) -> None:
    with pytest.raises(Invalid, match=words) as error:
        await call(stub.Transform, request_, 5)
    assert error.value.field == field


async def test_two_mebibytes_are_transformed(stub: AttackServiceStub) -> None:
    text = "ä" * 1_048_576
    request = TransformRequest(attack="refusal_suppression", messages=[Message(role="user", content=text)])
    assert text in (await call(stub.Transform, request, 10)).messages[0].content
