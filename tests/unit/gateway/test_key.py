from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.gateway.completion.key import completion_id
from libra.gateway.provider.request import CompletionRequest, turns
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits, ModelPrice, Provider, RequestOptions, SystemRole

OPENAI = Provider.PROVIDER_OPENAI


def request(
    model: dict[str, Any] | None = None, parameters: dict[str, Any] | None = None, **changes: object
) -> CompletionRequest:
    fields = {"name": "m", "provider": OPENAI, "base_url": "http://one/v1", "remote_model": "r"} | (model or {})
    shape = {"messages": (Message(role="user", content="hello"),)} | changes
    return CompletionRequest(Model(**fields), GenerationParameters(**(parameters or {})), **shape)  # type: ignore[arg-type]  # fields by name


PLAIN = request()

OTHERS = [
    request({"name": "n"}),
    request(team="red"),
    request(team="blue"),
    request({"provider": Provider.PROVIDER_SCRIPTED}),
    request({"base_url": "http://two/v1"}),
    request({"remote_model": "s"}),
    request({"remote_model": ""}),
    request(parameters={"temperature": 0}),
    request(parameters={"temperature": 1}),
    request(parameters={"top_p": 1}),
    request(parameters={"max_tokens": 511}),
    request(parameters={"seed": 0}),
    request(parameters={"seed": -1}),
    request(parameters={"json_schema": "{}"}),
    request(messages=(Message(role="user", content="hello "),)),
    request(messages=(Message(role="assistant", content="hello"),)),
    request(messages=(Message(role="user", content="hello"), Message(role="user", content=""))),
    request(epoch=1),
    request({"options": RequestOptions(headers={"X": "1"})}),
    request({"options": RequestOptions(query={"X": "1"})}),
    request({"options": RequestOptions(body_json='{"x": 1}')}),
    request({"options": RequestOptions(reasoning_effort="low")}),
    request({"options": RequestOptions(stop=["low"])}),
    request({"options": RequestOptions(top_k=1)}),
    request({"options": RequestOptions(system_role=SystemRole.SYSTEM_ROLE_MERGED)}),
    request(adjustments=(("temperature", ""),)),
    request(adjustments=(("seed", ""),)),
    request(adjustments=(("max_tokens", "seed"),)),
    request(adjustments=(("seed", ""), ("temperature", ""))),
    request(fresh_for="01J"),
]


def test_all_that_shapes_an_answer_changes_its_id() -> None:
    ids = [completion_id(each) for each in [PLAIN, *OTHERS]]
    assert len(set(ids)) == len(ids)
    assert all(len(each) == 64 and set(each) <= set("0123456789abcdef") for each in ids)


@pytest.mark.parametrize(
    "same",
    [
        request({"base_url": "http://one/v1/"}),
        request({"api_key_env": "KEY"}),
        request({"limits": ModelLimits(max_in_flight=3)}),
        request({"price": ModelPrice(usd_per_million_prompt_tokens=3)}),
        request(parameters={"max_tokens": 512}),
        request({"options": RequestOptions(token_limit_name="n", header_variables={"X": "KEY"})}),
        request(messages=turns([Message(role="system"), Message(role="user", content="hello")])),
    ],
)
def test_other_fields_do_not_change_the_id(same: CompletionRequest) -> None:
    assert completion_id(same) == completion_id(PLAIN)


def test_negative_zero_and_zero_have_the_same_id() -> None:
    assert completion_id(request(parameters={"temperature": -0.0})) == completion_id(
        request(parameters={"temperature": 0.0})
    )


def test_an_id_does_not_change_with_the_version_of_libra() -> None:
    """Stored answers are found by it. If it must change, FORM must change too."""
    assert completion_id(PLAIN) == "390f7c43714436e428ed3c878b450ff32a6047b6c91347ac2a55dd71e1205930"


Turns = list[tuple[str, str]]
TURNS = st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text(max_size=5)), max_size=4)


@given(TURNS, TURNS)
def test_two_conversations_have_the_same_id_only_if_they_are_equal(one: Turns, other: Turns) -> None:
    ids = [
        completion_id(request(messages=tuple(Message(role=role, content=content) for role, content in each)))
        for each in (one, other)
    ]
    assert (ids[0] == ids[1]) == (one == other)
