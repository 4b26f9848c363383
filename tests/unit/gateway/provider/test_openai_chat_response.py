"""Every form of a response, and its result."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.gateway.provider.adapters.openai_chat_response import read
from libra.gateway.provider.response.error_text import QUOTED_CHARACTERS
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault
from libra.v1.completion_pb2 import FinishReason
from libra.v1.model_pb2 import Model

KEY = "sk-live-0123456789abcdef"
MODEL = Model(name="m", base_url="http://one/v1", api_key_env="M_KEY")


def result_of(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> ProviderAnswer | ProviderFault:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read(status, headers or {}, data, MODEL, KEY)


def answer(body: Any) -> ProviderAnswer:
    result = result_of(body)
    assert isinstance(result, ProviderAnswer), result
    return result


def fault(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> ProviderFault:
    result = result_of(body, status, headers)
    assert isinstance(result, ProviderFault), result
    return result


def choice(content: Any = "yes", finish: Any = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": content} | more, "finish_reason": finish}]}


def test_an_answer_has_its_usage() -> None:
    body = choice() | {"usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}}
    assert answer(body) == ProviderAnswer("yes", FinishReason.FINISH_REASON_STOP, 12, 3)


@pytest.mark.parametrize("usage", [None, [], {"prompt_tokens": "many"}, {"prompt_tokens": -4}, {"prompt_tokens": None}])
def test_an_invalid_usage_is_unknown(usage: Any) -> None:
    result = answer(choice() | {"usage": usage})
    assert (result.prompt_tokens, result.is_usage_known) == (0, False)


def test_a_usage_of_texts_and_floats_is_read() -> None:
    result = answer(choice() | {"usage": {"prompt_tokens": "12", "completion_tokens": 3.0}})
    assert (result.prompt_tokens, result.completion_tokens, result.is_usage_known) == (12, 3, True)


def test_a_huge_usage_is_capped() -> None:
    assert answer(choice() | {"usage": {"prompt_tokens": 10**15}}).prompt_tokens == 2**31 - 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("stop", "STOP"),
        ("eos", "STOP"),
        ("length", "LENGTH"),
        ("content_filter", "CONTENT_FILTER"),
        ("tool_calls", "UNSPECIFIED"),
        (None, "UNSPECIFIED"),
        (["stop"], "UNSPECIFIED"),
    ],
)
def test_finish_reasons_are_mapped(value: Any, reason: str) -> None:
    assert FinishReason.Name(answer(choice(finish=value)).finish_reason) == f"FINISH_REASON_{reason}"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (choice(""), ""),
        (choice(None), ""),
        (choice(None, refusal="I will not."), "I will not."),
        (choice([{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}, 7]), "ab"),
        (choice("\x00\x1b\r\n"), "\x00\x1b\r\n"),
        (choice("a", reasoning_content="because"), "a"),
    ],
)
def test_the_text_of_an_answer(body: Any, text: str) -> None:
    assert answer(body).text == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (rb'{"choices":[{"message":{"content":"a\ud800b"},"finish_reason":"stop"}]}', "a\ufffdb"),
        (rb'{"choices":[{"message":{"content":"a\udc00"},"finish_reason":"stop"}]}', "a\ufffd"),
        (rb'{"choices":[{"message":{"content":"\ud83d\ude00\ud800"},"finish_reason":"stop"}]}', "😀\ufffd"),
        (b'{"choices":[{"message":{"content":"a\xffb"},"finish_reason":"stop"}]}', "a\ufffdb"),
    ],
)
def test_invalid_unicode_is_replaced(raw: bytes, text: str) -> None:
    assert answer(raw).text == text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Bad gateway</body></html>",
        b'{"choices":[{"message":{"content":"cut sh',
        b"null",
        b"[1]",
        b"[" * 100_000,
        {},
        {"choices": []},
        {"choices": None},
        {"choices": ["yes"]},
        {"choices": [{"message": "yes"}]},
        {"choices": [{"message": {"content": 7}}]},
        {"error": "overloaded"},
        {"error": {"message": "overloaded"}},
        choice("", "error"),
        b'data: {"choices": [{"delta": {"content": "cut sh"}}]}\n\n',
    ],
)
def test_a_response_of_another_shape_is_unreadable(body: Any) -> None:
    assert fault(body).kind is FaultKind.UNREADABLE


def test_text_of_more_than_a_mebibyte_is_refused() -> None:
    assert answer(choice("x" * 2**20)).text
    for text in ("x" * (2**20 + 1), "é" * (2**19 + 1)):
        assert fault(choice(text)).kind is FaultKind.FINAL
        assert "1 MiB" in fault(choice(text)).reason


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (400, FaultKind.FINAL, "oh dear"),
        (401, FaultKind.FINAL, "M_KEY"),
        (403, FaultKind.FINAL, "M_KEY"),
        (404, FaultKind.FINAL, "base_url"),
        (408, FaultKind.PASSING, "oh dear"),
        (409, FaultKind.PASSING, "oh dear"),
        (413, FaultKind.FINAL, "oh dear"),
        (422, FaultKind.FINAL, "oh dear"),
        (429, FaultKind.SLOW_DOWN, "oh dear"),
        (500, FaultKind.PASSING, "oh dear"),
        (501, FaultKind.FINAL, "oh dear"),
        (502, FaultKind.PASSING, "oh dear"),
        (503, FaultKind.PASSING, "oh dear"),
        (504, FaultKind.PASSING, "oh dear"),
        (529, FaultKind.PASSING, "oh dear"),
        (308, FaultKind.FINAL, "https://elsewhere/v1"),
        (204, FaultKind.FINAL, "204"),
    ],
)
def test_each_status_has_its_fault(status: int, kind: FaultKind, remedy: str) -> None:
    result = fault({"error": {"message": "oh dear"}}, status, {"location": "https://elsewhere/v1"})
    assert result.kind is kind
    assert remedy in result.reason
    assert str(status) in result.reason


def test_the_fault_of_a_missing_key_names_api_key_env() -> None:
    result = read(401, {}, b"{}", Model(name="m"), "")
    assert isinstance(result, ProviderFault)
    assert "api_key_env" in result.reason


def test_a_web_page_is_shortened_to_its_title() -> None:
    page = b"<!DOCTYPE html><html><head><title>Log&nbsp;in</title></head><body>" + b"x" * 999
    assert 'a web page "Log in"' in fault(page).reason
    assert "xx" not in fault(page, 502).reason


def test_a_prompt_that_does_not_fit_has_a_remedy() -> None:
    error = {"object": "error", "message": "the maximum context length is 8 tokens", "code": 40303}
    for status in (200, 400):
        result = fault(error, status)
        assert result.kind is FaultKind.FINAL
        assert "lower max_tokens" in result.reason


def test_an_exhausted_account_is_not_retried() -> None:
    result = fault({"error": {"code": "insufficient_quota", "message": "no money"}}, 429)
    assert result.kind is FaultKind.FINAL
    assert "no money" in result.reason


def test_an_error_in_a_200_response_has_its_own_status() -> None:
    assert fault({"error": {"code": 429, "message": "slow"}}).kind is FaultKind.SLOW_DOWN
    assert fault({"error": {"code": 401, "message": "who?"}}).kind is FaultKind.FINAL


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_passed_on(status: int) -> None:
    assert fault({}, status, {"retry-after": "17"}).retry_after_seconds == 17


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": f"the key {KEY} is wrong"}},
        {"error": {"message": f"the key {KEY[:15]}... is wrong"}},
        {"error": {"message": "x" * 190 + KEY}},
        {"error": f"Bearer {KEY}"},
        {"detail": KEY},
        f"<html>{KEY}</html>".encode(),
        (KEY * 1000).encode(),
    ],
)
@pytest.mark.parametrize("status", [200, 307, 400, 401, 404, 429, 500])
def test_a_quoted_key_is_masked(body: Any, status: int) -> None:
    result = fault(body, status, {"location": f"https://elsewhere/{KEY}", "retry-after": KEY})
    assert not any(KEY[start : start + 8] in result.reason for start in range(len(KEY) - 8))
    assert len(result.reason) < QUOTED_CHARACTERS + 150


def test_a_key_in_an_answer_is_masked() -> None:
    assert answer(choice(f"your key is {KEY}, is it not?")).text == "your key is [key], is it not?"


def test_a_quoted_message_is_one_printable_line_of_200_characters() -> None:
    reason = fault({"error": {"message": "a\nb\x1b[31m" + "c" * 10_000}}, 400).reason
    assert reason.isprintable()
    assert reason.count("c") < QUOTED_CHARACTERS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "error", "code", "finish_reason", "usage", "innererror"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.integers(100, 599))
def test_no_json_raises_an_error(body: Any, status: int) -> None:
    result = result_of(body, status)
    assert isinstance(result, ProviderAnswer) or result.reason


@given(st.binary(max_size=50), st.sampled_from([200, 400, 500]))
def test_no_bytes_raise_an_error(body: bytes, status: int) -> None:
    assert isinstance(result_of(body, status), ProviderAnswer | ProviderFault)
