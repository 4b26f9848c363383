"""Refusals of a parameter in the words of many servers, and errors that refuse none."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from tests.data_files import ENDPOINT_ERRORS

from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.adapters import openai_chat_request
from libra.gateway.provider.refusals.refused_request import with_refusal
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import FaultKind, ProviderFault
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, Provider, RequestOptions, SystemRole

EVERYTHING = {"temperature": 0.7, "top_p": 0.9, "seed": 7, "max_tokens": 64, "json_schema": '{"type": "object"}'}
OPTIONS = RequestOptions(stop=["END"], top_k=40, reasoning_effort="low")
SYSTEM, USER, ASSISTANT = (
    Message(role="system", content="Be brief."),
    Message(role="user", content="Which temperature, and why is system not supported?"),
    Message(role="assistant", content="Well."),
)


def request(
    *,
    options: RequestOptions = OPTIONS,
    messages: tuple[Message, ...] = (SYSTEM, USER),
    adjustments: tuple[tuple[str, str], ...] = (),
    provider: Provider.ValueType = Provider.PROVIDER_OPENAI,
    **parameters: Any,
) -> CompletionRequest:
    model = Model(name="m", provider=provider, options=options)
    shape = GenerationParameters(**{**EVERYTHING, **parameters})
    return CompletionRequest(model, shape, messages, adjustments=adjustments)


def fault_of(status: int, body: object, asked: CompletionRequest | None = None, key: str = "") -> ProviderFault:
    asked = asked or request()
    data = body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()
    sent = openai_chat_request.body(asked)
    return with_refusal(ProviderFault("no", FaultKind.FINAL), HttpResponse(status, {}, data), asked, sent, key)


def adjustment_of(status: int, body: object, asked: CompletionRequest | None = None) -> tuple[str, str] | None:
    found = fault_of(status, body, asked).adjustment
    return (found.parameter, found.replacement) if found else None


ERRORS = [json.loads(line) for line in ENDPOINT_ERRORS.read_text().splitlines()]
"""Errors in the words of many servers, with the adjustment that each calls for, or null."""


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: f"{row['status']} {json.dumps(row['body'])[:100]}")
def test_an_error_calls_for_the_adjustment_that_it_names(row: dict[str, Any]) -> None:
    expected = row["adjustment"] and (row["adjustment"]["parameter"], row["adjustment"]["replacement"])
    assert adjustment_of(row["status"], row["body"]) == expected


@pytest.mark.parametrize("row", [row for row in ERRORS if row["adjustment"]], ids=lambda row: str(row["adjustment"]))
def test_what_is_not_sent_is_not_adjusted(row: dict[str, Any]) -> None:
    model = Model(
        name="m", provider=Provider.PROVIDER_OPENAI, options=RequestOptions(token_limit_name="max_new_tokens")
    )
    plain = CompletionRequest(model, GenerationParameters(), (USER,))
    assert adjustment_of(row["status"], row["body"], plain) is None


def refusal(message: str, **error: Any) -> dict[str, Any]:
    return {"error": {"message": message, **error}}


def test_a_schema_is_first_replaced_and_then_dropped() -> None:
    refused = refusal("Invalid parameter: 'response_format' of type 'json_object' is not supported with this model.")
    assert adjustment_of(400, refused) == ("json_schema", "json_object")
    second = request(adjustments=(("json_schema", "json_object"),))
    assert adjustment_of(400, refused, second) == ("json_schema", "")
    wordless = refusal(
        "'messages' must contain the word 'json' in some form, to use 'response_format' of 'json_object'."
    )
    assert adjustment_of(400, wordless, second) == ("json_schema", "")
    assert adjustment_of(400, refused, request(adjustments=(("json_schema", ""),))) is None


def test_an_api_without_json_objects_drops_the_schema() -> None:
    asked = request(provider=Provider.PROVIDER_ANTHROPIC)
    assert adjustment_of(400, refusal("output_format.schema: 'minimum' is not supported"), asked) == ("json_schema", "")


def test_turns_of_the_same_role_are_merged_before_the_system_turn_is() -> None:
    refused = refusal("Conversation roles must alternate user/assistant/user/assistant/...")
    twice = request(messages=(SYSTEM, USER, USER))
    assert adjustment_of(400, refused, twice) == ("alternation", "merged")
    merged = request(messages=(SYSTEM, USER, USER), adjustments=(("alternation", "merged"),))
    assert adjustment_of(400, refused, merged) == ("system", "merged")
    assert adjustment_of(400, refused, request(messages=(USER,))) is None
    successive = refusal(
        "This model does not support successive user or assistant messages (messages[1] and messages[2])."
    )
    assert adjustment_of(400, successive, twice) == ("alternation", "merged")


def test_a_system_turn_that_is_not_first_is_merged() -> None:
    refused = refusal("System message must be at the beginning.")
    assert adjustment_of(400, refused, request(messages=(USER, ASSISTANT, SYSTEM, USER))) == ("system", "merged")


def test_the_system_turn_follows_the_policy_of_the_entry() -> None:
    refused = refusal("System role not supported")
    fixed = request(options=RequestOptions(system_role=SystemRole.SYSTEM_ROLE_SYSTEM))
    fault = fault_of(400, refused, fixed)
    assert fault.adjustment is None
    assert "without system_role" in fault.reason
    developer = RequestOptions(system_role=SystemRole.SYSTEM_ROLE_DEVELOPER)
    unknown = refusal("Invalid value: 'developer'. Supported values are: 'system', 'assistant', 'user'.")
    assert adjustment_of(400, unknown, request(options=developer)) == ("system", "system")
    second = request(options=developer, adjustments=(("system", "system"),))
    assert [turn.role for turn in second.turns_to_send()] == ["system", "user"]
    assert adjustment_of(400, refused, second) == ("system", "merged")
    third = request(options=developer, adjustments=(("system", "merged"),))
    assert [turn.role for turn in third.turns_to_send()] == ["user"]


def test_the_name_of_the_limit_is_tried_once_in_each_form() -> None:
    unknown = refusal("Unrecognized request argument supplied: max_completion_tokens")
    renamed = request(adjustments=(("max_tokens", "max_completion_tokens"),))
    assert adjustment_of(400, unknown, renamed) == ("max_tokens", "max_tokens")
    assert adjustment_of(400, unknown) is None  # it is not the name that was sent


def test_a_value_that_stands_for_none_may_be_left_out() -> None:
    positive = refusal("Input validation error: `temperature` must be strictly positive")
    assert adjustment_of(422, positive, request(temperature=0.0)) == ("temperature", "")
    assert adjustment_of(422, positive, request(temperature=-1.0)) is None
    narrow = refusal("Input validation error: `top_p` must be > 0.0 and < 1.0")
    assert adjustment_of(422, narrow, request(top_p=1.0)) == ("top_p", "")
    assert adjustment_of(422, narrow, request(top_p=0.5)) is None


def test_fields_of_the_entry_stay_an_error_that_names_them() -> None:
    options = RequestOptions(body_json='{"temperature": 1, "min_p": 0.1}', headers={"X-Beta": "a"})
    refused = refusal("Unsupported parameter: 'temperature' is not supported with this model.")
    fault = fault_of(400, refused, request(options=options))
    assert fault.adjustment is None
    assert "body_json sets temperature" in fault.reason
    assert (
        "body_json sets min_p" in fault_of(400, refusal("Unknown parameter: 'min_p'"), request(options=options)).reason
    )
    assert (
        "headers sets X-Beta" in fault_of(400, refusal("Unknown header field: X-Beta"), request(options=options)).reason
    )
    assert fault_of(400, refusal("min_p must be below 1"), request(options=options)).reason == "no"


def test_the_words_are_short_and_without_the_key() -> None:
    key = "sk-1234567890abcdef"
    refused = refusal(f"trace {'x' * 3_000} {key}: Unsupported parameter: 'seed' ({key}). " + "y" * 3_000)
    found = fault_of(400, refused, key=key).adjustment
    assert found is not None
    assert found.words.startswith("Unsupported parameter: 'seed' ([key])")
    assert len(found.words) <= 200
    assert key not in found.words


@pytest.mark.parametrize(
    "text", ["'temperature" * 20_000, "not supported " * 20_000, "{'loc': (" * 20_000, "temperature, " * 9_999]
)
def test_hostile_errors_take_no_time(text: str) -> None:
    started = time.process_time()
    adjustment_of(400, refusal(text))
    adjustment_of(400, text)
    assert time.process_time() - started < 5
