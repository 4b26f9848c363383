from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.gateway.completion.key import completion_id
from libra.gateway.completion.request import CompletionRequest, turns
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits, ModelPrice, Provider

OPENAI = Provider.PROVIDER_OPENAI


def question(
    model: dict[str, Any] | None = None, parameters: dict[str, Any] | None = None, **changes: object
) -> CompletionRequest:
    entry = {"name": "m", "provider": OPENAI, "base_url": "http://one/v1", "remote_model": "r"} | (model or {})
    shape = {"messages": (Message(role="user", content="hello"),)} | changes
    return CompletionRequest(Model(**entry), GenerationParameters(**(parameters or {})), **shape)  # type: ignore[arg-type]  # fields by name


PLAIN = question()

OTHERS = [
    question({"name": "n"}),
    question({"provider": Provider.PROVIDER_SCRIPTED}),
    question({"base_url": "http://two/v1"}),
    question({"remote_model": "s"}),
    question({"remote_model": ""}),
    question(parameters={"temperature": 0}),
    question(parameters={"temperature": 1}),
    question(parameters={"top_p": 1}),
    question(parameters={"max_tokens": 511}),
    question(parameters={"seed": 0}),
    question(parameters={"seed": -1}),
    question(parameters={"json_schema": "{}"}),
    question(messages=(Message(role="user", content="hello "),)),
    question(messages=(Message(role="assistant", content="hello"),)),
    question(messages=(Message(role="user", content="hello"), Message(role="user", content=""))),
    question(epoch=1),
    question(fresh_for="01J"),
]


def test_whatever_shapes_an_answer_is_in_its_name() -> None:
    names = [completion_id(each) for each in [PLAIN, *OTHERS]]
    assert len(set(names)) == len(names)
    assert all(len(name) == 64 and set(name) <= set("0123456789abcdef") for name in names)


@pytest.mark.parametrize(
    "same",
    [
        question({"base_url": "http://one/v1/"}),
        question({"api_key_env": "KEY"}),
        question({"limits": ModelLimits(max_in_flight=3)}),
        question({"price": ModelPrice(usd_per_million_prompt_tokens=3)}),
        question(parameters={"max_tokens": 512}),
        question(messages=turns([Message(role="system"), Message(role="user", content="hello")])),
    ],
)
def test_what_shapes_no_answer_is_not(same: CompletionRequest) -> None:
    assert completion_id(same) == completion_id(PLAIN)


def test_there_is_one_zero() -> None:
    assert completion_id(question(parameters={"temperature": -0.0})) == completion_id(
        question(parameters={"temperature": 0.0})
    )


def test_a_name_does_not_change_with_the_version_of_libra() -> None:
    """Kept answers are found by it: if this must change, so must FORM."""
    assert completion_id(PLAIN) == "390f7c43714436e428ed3c878b450ff32a6047b6c91347ac2a55dd71e1205930"


Turns = list[tuple[str, str]]
TURNS = st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text(max_size=5)), max_size=4)


@given(TURNS, TURNS)
def test_conversations_have_one_name_only_if_they_are_one(one: Turns, other: Turns) -> None:
    names = [
        completion_id(question(messages=tuple(Message(role=role, content=content) for role, content in each)))
        for each in (one, other)
    ]
    assert (names[0] == names[1]) == (one == other)
