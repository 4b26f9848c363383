"""Each form that an answer can have, and what it means for the trial."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.gateway.provider.openai_response import QUOTED_CHARACTERS, read
from libra.gateway.provider.result import Answer, Fault, Kind
from libra.v1.completion_pb2 import FinishReason
from libra.v1.model_pb2 import Model

KEY = "sk-live-0123456789abcdef"
MODEL = Model(name="m", base_url="http://one/v1", api_key_env="M_KEY")


def answered(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer | Fault:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read(status, headers or {}, data, MODEL, KEY)


def answer(body: Any) -> Answer:
    reply = answered(body)
    assert isinstance(reply, Answer), reply
    return reply


def fault(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Fault:
    reply = answered(body, status, headers)
    assert isinstance(reply, Fault), reply
    return reply


def choice(content: Any = "yes", finish: Any = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": content} | more, "finish_reason": finish}]}


def test_an_answer_with_its_usage() -> None:
    body = choice() | {"usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}}
    assert answer(body) == Answer("yes", FinishReason.FINISH_REASON_STOP, 12, 3)


@pytest.mark.parametrize("usage", [None, [], {"prompt_tokens": "12"}, {"prompt_tokens": -4}, {"prompt_tokens": None}])
def test_a_usage_that_is_none_counts_nothing(usage: Any) -> None:
    assert answer(choice() | {"usage": usage}).prompt_tokens == 0


def test_a_usage_beyond_reason_fits_its_field() -> None:
    assert answer(choice() | {"usage": {"prompt_tokens": 10**15}}).prompt_tokens == 2**31 - 1


@pytest.mark.parametrize(
    ("word", "reason"),
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
def test_why_it_ended(word: Any, reason: str) -> None:
    assert FinishReason.Name(answer(choice(finish=word)).finish_reason) == f"FINISH_REASON_{reason}"


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
def test_what_is_no_unicode_is_replaced(raw: bytes, text: str) -> None:
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
        {"choices": [{"text": "yes"}]},
        {"choices": [{"message": "yes"}]},
        {"choices": [{"message": {"content": 7}}]},
        {"error": "overloaded"},
        {"error": {"message": "overloaded"}},
        choice("", "error"),
    ],
)
def test_an_answer_of_another_shape_may_be_whole_the_next_time(body: Any) -> None:
    assert fault(body).kind is Kind.PASSING


def test_text_of_more_than_a_mebibyte_is_no_answer() -> None:
    assert answer(choice("x" * 2**20)).text
    for text in ("x" * (2**20 + 1), "é" * (2**19 + 1)):
        assert fault(choice(text)).kind is Kind.FINAL
        assert "1 MiB" in fault(choice(text)).reason


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (400, Kind.FINAL, "oh dear"),
        (401, Kind.FINAL, "M_KEY"),
        (403, Kind.FINAL, "M_KEY"),
        (404, Kind.FINAL, "base_url"),
        (408, Kind.PASSING, "oh dear"),
        (409, Kind.PASSING, "oh dear"),
        (413, Kind.FINAL, "oh dear"),
        (422, Kind.FINAL, "oh dear"),
        (429, Kind.SLOW_DOWN, "oh dear"),
        (500, Kind.PASSING, "oh dear"),
        (501, Kind.FINAL, "oh dear"),
        (502, Kind.PASSING, "oh dear"),
        (503, Kind.PASSING, "oh dear"),
        (504, Kind.PASSING, "oh dear"),
        (529, Kind.PASSING, "oh dear"),
        (308, Kind.FINAL, "https://elsewhere/v1"),
        (204, Kind.FINAL, "204"),
    ],
)
def test_what_a_status_means(status: int, kind: Kind, remedy: str) -> None:
    reply = fault({"error": {"message": "oh dear"}}, status, {"location": "https://elsewhere/v1"})
    assert reply.kind is kind
    assert remedy in reply.reason
    assert str(status) in reply.reason


def test_a_model_without_a_key_is_told_where_to_name_one() -> None:
    reply = read(401, {}, b"{}", Model(name="m"), "")
    assert isinstance(reply, Fault)
    assert "api_key_env" in reply.reason


@pytest.mark.parametrize(
    "error",
    [
        {"code": "content_filter", "message": "filtered"},
        {"code": "400", "innererror": {"code": "ResponsibleAIPolicyViolation"}},
        {"type": "content_filter"},
    ],
)
def test_a_filtered_prompt_is_filtered(error: dict[str, Any]) -> None:
    reply = answered({"error": error}, 400)
    assert reply == Answer("", FinishReason.FINISH_REASON_CONTENT_FILTER)
    assert reply.outcome == "filtered"


def test_an_empty_account_is_not_asked_again() -> None:
    reply = fault({"error": {"code": "insufficient_quota", "message": "no money"}}, 429)
    assert reply.kind is Kind.FINAL
    assert "no money" in reply.reason


def test_an_error_under_a_200_speaks_of_its_own_status() -> None:
    assert fault({"error": {"code": 429, "message": "slow"}}).kind is Kind.SLOW_DOWN
    assert fault({"error": {"code": 401, "message": "who?"}}).kind is Kind.FINAL


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
def test_a_quoted_key_is_taken_out(body: Any, status: int) -> None:
    reply = fault(body, status, {"location": f"https://elsewhere/{KEY}", "retry-after": KEY})
    assert not any(KEY[start : start + 8] in reply.reason for start in range(len(KEY) - 8))
    assert len(reply.reason) < QUOTED_CHARACTERS + 150


def test_a_key_in_an_answer_is_taken_out() -> None:
    assert answer(choice(f"your key is {KEY}, is it not?")).text == "your key is [key], is it not?"


def test_words_are_one_printable_line_of_200_characters() -> None:
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
def test_no_json_is_a_bug(body: Any, status: int) -> None:
    reply = answered(body, status)
    assert isinstance(reply, Answer) or reply.reason


@given(st.binary(max_size=50), st.sampled_from([200, 400, 500]))
def test_no_bytes_are_a_bug(body: bytes, status: int) -> None:
    assert isinstance(answered(body, status), Answer | Fault)
