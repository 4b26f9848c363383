from __future__ import annotations

from typing import Any

import pytest

from libra.gateway.provider.adapters.openai_chat_request import body
from libra.gateway.provider.request import CompletionRequest, InvalidSchema, problem_of, turns
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model


def sent(
    parameters: GenerationParameters | None = None, *, model: Model | None = None, text: str = "hi"
) -> dict[str, Any]:
    messages = (Message(role="user", content=text),)
    return body(CompletionRequest(model or Model(name="m"), parameters or GenerationParameters(), messages))


def test_fields_that_are_not_set_are_not_sent() -> None:
    assert sent() == {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 512}


def test_fields_that_are_set_are_sent_even_if_they_are_zero() -> None:
    document = sent(GenerationParameters(temperature=0, top_p=0.5, seed=0, max_tokens=7), model=Model(remote_model="r"))
    assert {name: value for name, value in document.items() if name != "messages"} == {
        "model": "r",
        "temperature": 0,
        "top_p": 0.5,
        "seed": 0,
        "max_tokens": 7,
    }


def test_a_schema_is_sent_as_strict() -> None:
    assert sent(GenerationParameters(json_schema='{"type": "object"}'))["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
    }


@pytest.mark.parametrize("schema", ["{", "[]", "1", "null"])
def test_an_invalid_schema_raises_bad_schema(schema: str) -> None:
    with pytest.raises(InvalidSchema):
        sent(GenerationParameters(json_schema=schema))


@pytest.mark.parametrize("text", ["\x00\x07\x1b[31m\r\n\t", "नमस्ते 你好 مرحبا 😀", "\u2028\ufeff", "x" * 1_000_000])
def test_text_is_sent_unchanged(text: str) -> None:
    assert sent(text=text)["messages"][0]["content"] == text


def test_an_empty_system_turn_is_left_out() -> None:
    messages = [Message(role="system", content=""), Message(role="user", content="")]
    assert [turn.role for turn in turns(messages)] == ["user"]


@pytest.mark.parametrize(
    ("roles", "problem"),
    [
        ([], "no turn"),
        (["tool", "user"], "'tool'"),
        (["user", "assistant"], "last turn has the role 'assistant'"),
        (["user"], ""),
        (["system", "user", "assistant", "user"], ""),
    ],
)
def test_the_problem_of_an_invalid_conversation_is_named(roles: list[str], problem: str) -> None:
    found = problem_of([Message(role=role, content="x") for role in roles])
    assert problem in found
    assert bool(problem) == bool(found)


def test_a_conversation_for_a_guard_ends_with_the_answer() -> None:
    turns_of = {role: Message(role=role, content="x") for role in ("user", "assistant")}
    assert problem_of([turns_of["user"], turns_of["assistant"]], "assistant") == ""
    assert "judges an assistant's answer" in problem_of([turns_of["user"]], "assistant")
