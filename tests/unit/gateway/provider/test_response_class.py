"""Responses of all providers are classified in the same terms."""

from __future__ import annotations

import json
from typing import Any

import pytest

from libra.gateway.provider.adapters.openai_chat_response import read
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault
from libra.v1.completion_pb2 import FinishReason, ResponseClass
from libra.v1.model_pb2 import Model


def result_of(body: Any, status: int = 200) -> ProviderAnswer | ProviderFault:
    return read(status, {}, json.dumps(body).encode(), Model(name="m"), "")


def class_of(result: ProviderAnswer | ProviderFault) -> str:
    assert isinstance(result, ProviderAnswer), result
    return ResponseClass.Name(result.response_class).removeprefix("RESPONSE_CLASS_").lower()


def choice(content: Any = None, finish: Any = "stop", beside: Any = None, **message: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content} | message, "finish_reason": finish} | (beside or {})]}


FLAGGED = {"hate": {"filtered": False, "severity": "safe"}, "violence": {"filtered": True, "severity": "high"}}
AZURE = {
    "code": "content_filter",
    "message": "The response was filtered due to the prompt",
    "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": FLAGGED},
}
INPUT_BLOCKS: dict[str, tuple[int, Any, str]] = {
    "Azure": (400, {"error": AZURE}, "violence"),
    "Azure, only the inner code": (400, {"error": {"innererror": {"code": "ResponsibleAIPolicyViolation"}}}, "Respons"),
    "Azure behind LiteLLM": (
        400,
        {
            "error": {
                "message": f"litellm.BadRequestError: AzureException - {json.dumps({'error': AZURE})}",
                "code": "400",
            }
        },
        "violence",
    ),
    "Azure as Python": (500, {"error": {"message": f"Error code: 400 - { ({'error': AZURE})!r}"}}, "violence"),
    "Azure behind OpenRouter": (
        502,
        {
            "error": {
                "message": "Provider returned error",
                "code": 400,
                "metadata": {"raw": json.dumps({"error": AZURE}), "provider_name": "Azure"},
            }
        },
        "violence",
    ),
    "a code far behind in a long message": (
        400,
        {"error": {"message": "x" * 9_000 + " ContentPolicyViolationError"}},
        "ContentPolicy",
    ),
    "OpenAI's invalid_prompt": (
        400,
        {"error": {"code": "invalid_prompt", "message": "This prompt was flagged: it may violate our usage policies."}},
        "invalid_prompt",
    ),
    "DashScope": (
        400,
        {"code": "DataInspectionFailed", "message": "Input text data may contain inappropriate content."},
        "DataInspectionFailed",
    ),
    "DeepSeek": (
        400,
        {"error": {"message": "Content Exists Risk", "type": "invalid_request_error"}},
        "invalid_request",
    ),
    "xAI": (
        403,
        {"code": "forbidden", "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_CSAM"},
        "SAFETY_CHECK_TYPE_CSAM",
    ),
    "OpenRouter's moderation": (
        403,
        {
            "error": {
                "code": 403,
                "message": "The model requires moderation and your input was flagged",
                "metadata": {"reasons": ["violence/graphic"], "flagged_input": "How do I ..."},
            }
        },
        "violence/graphic",
    ),
    "Volcengine": (
        400,
        {"error": {"code": "InputTextSensitiveContentDetected", "message": "The input text may be sensitive"}},
        "InputText",
    ),
    "Gemini": (200, {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, "PROHIBITED_CONTENT"),
    "Azure without choices": (
        200,
        {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": FLAGGED}]},
        "violence",
    ),
    "an error instead of choices": (200, {"error": AZURE | {"code": 400}, "choices": None}, "violence"),
}


@pytest.mark.parametrize("case", INPUT_BLOCKS)
def test_a_blocked_request_has_its_category(case: str) -> None:
    status, body, category = INPUT_BLOCKS[case]
    result = result_of(body, status)
    assert class_of(result) == "blocked_input"
    assert isinstance(result, ProviderAnswer)
    assert result.finish_reason == FinishReason.FINISH_REASON_CONTENT_FILTER
    assert category in result.category


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": {"code": "invalid_prompt", "message": "Invalid prompt: the role of turn 2 is missing."}}),
        (400, {"error": {"message": "Unsupported parameter: content_filter"}}),
        (403, {"error": {"message": "Your account was suspended for violating our usage policy"}}),
        (401, {"error": {"message": "The key was rejected by our safety policy"}}),
        (422, {"detail": [{"msg": "field required", "input": {"messages": "Say: my prompt was flagged as unsafe"}}]}),
        (429, {"error": {"code": "rate_limit_exceeded", "message": "Too many requests; see our usage policies"}}),
        (500, {"error": {"message": "internal error"}}),
    ],
)
def test_other_errors_are_no_blocks(status: int, body: Any) -> None:
    assert isinstance(result_of(body, status), ProviderFault)


@pytest.mark.parametrize("finish", ["content_filter", "SAFETY", "RECITATION", "FinishReason.PROHIBITED_CONTENT"])
def test_a_blocked_answer_keeps_what_came_before(finish: str) -> None:
    result = result_of(choice("Sure, first", finish))
    assert class_of(result) == "blocked_output"
    assert isinstance(result, ProviderAnswer)
    assert (result.text, result.category) == ("Sure, first", finish)


def test_a_blocked_answer_has_the_flagged_categories() -> None:
    ratings = [{"category": "HARM_CATEGORY_HATE", "probability": "LOW"}, {"category": "HARM_B", "blocked": True}]
    details = {"type": "refusal", "category": "cyber", "explanation": "It may help an attack."}
    results = [
        result_of(choice("a", "content_filter", {"content_filter_results": FLAGGED})),
        result_of(choice("", "SAFETY", {"safetyRatings": ratings})),
        result_of(choice("", "refusal", {"stop_details": details})),
        result_of(choice("", "stop", {"native_finish_reason": "guardrail_intervened"})),
        result_of({"error": {"message": "Output blocked by content filtering policy", "type": "bad_request"}}, 400),
    ]
    assert {class_of(result) for result in results} == {"blocked_output"}
    categories = [result.category for result in results if isinstance(result, ProviderAnswer)]
    assert categories == ["violence", "HARM_B", "cyber", "guardrail_intervened", "bad_request"]
    assert isinstance(results[2], ProviderAnswer)
    assert results[2].words == "It may help an attack."


@pytest.mark.parametrize(
    "body",
    [
        choice(None, "length", reasoning_content="Let me see"),
        choice("", "MAX_TOKENS"),
        choice("<think>Let me", "stop"),
        choice("", "stop", reasoning="It is 42."),
        choice([{"type": "thinking", "thinking": "Let me"}], "stop"),
        choice("The answer", "model_length"),
        choice("<|channel|>analysis<|message|>Let me", None),
    ],
)
def test_an_answer_that_was_cut_off_or_never_began_is_truncated(body: Any) -> None:
    result = result_of(body)
    assert class_of(result) == "truncated"
    assert isinstance(result, ProviderAnswer)
    assert result.finish_reason == FinishReason.FINISH_REASON_LENGTH


def test_refusals_tool_calls_and_answers_are_told_apart() -> None:
    refusal = result_of(choice(None, refusal="No, thank you."))
    assert class_of(refusal) == "refused"
    assert isinstance(refusal, ProviderAnswer)
    assert (refusal.text, refusal.words) == ("No, thank you.", "No, thank you.")
    assert class_of(result_of(choice([{"type": "refusal", "refusal": "No."}]))) == "refused"
    calls = result_of(choice(None, "tool_calls", tool_calls=[{"function": {"name": "search"}}]))
    assert class_of(calls) == "tool_calls"
    assert isinstance(calls, ProviderAnswer)
    assert "search" in calls.words
    assert class_of(result_of(choice("Yes.", "tool_calls"))) == "answered"
    assert class_of(result_of(choice("<think>a</think>Yes."))) == "answered"


STREAM = 'data: {"choices": [{"delta": {"content": "4"}}]}\n\ndata: {"choices": [{"delta": {"content": "2"}}]}\n\n'


@pytest.mark.parametrize(
    "body",
    [
        (": ping\n\n" + STREAM + "data: [DONE]\n\n").encode(),
        b"\xef\xbb\xbf" + json.dumps(choice("42")).encode(),
        json.dumps({"choices": [{"text": "42", "finish_reason": "stop"}]}).encode(),
        json.dumps([choice("42")]).encode(),
        json.dumps({"choices": [*choice("")["choices"], *choice("42")["choices"]]}).encode(),
        json.dumps({"content": [{"type": "text", "text": "42"}], "stop_reason": "end_turn"}).encode(),
        json.dumps({"candidates": [{"content": {"parts": [{"text": "42"}]}, "finishReason": "STOP"}]}).encode(),
        json.dumps({"message": {"content": "42"}, "done_reason": "stop"}).encode(),
        json.dumps(choice([{"type": "text", "text": None}, {"type": "thinking", "thinking": "?"}, "42"])).encode(),
        json.dumps(choice("42") | {"error": None}).encode(),
    ],
)
def test_an_answer_in_another_form_is_read(body: bytes) -> None:
    result = read(200, {}, body, Model(name="m"), "")
    assert isinstance(result, ProviderAnswer), result
    assert result.text == "42"


def test_reasoning_about_a_filter_is_no_block() -> None:
    assert class_of(result_of(choice("", reasoning="The code content_filter means that it was flagged"))) == "truncated"


def test_an_error_in_a_choice_is_a_fault_with_its_words() -> None:
    result = result_of(choice("", "error", {"error": {"code": 502, "message": "idle for too long"}}))
    assert isinstance(result, ProviderFault)
    assert result.kind is FaultKind.UNREADABLE
    assert "idle for too long" in result.reason


def test_the_message_within_a_proxys_error_is_quoted() -> None:
    raw = json.dumps({"error": {"message": "the GPU is gone"}})
    result = result_of({"error": {"message": "Provider returned error", "metadata": {"raw": raw}}}, 500)
    assert isinstance(result, ProviderFault)
    assert "Provider returned error: the GPU is gone" in result.reason
