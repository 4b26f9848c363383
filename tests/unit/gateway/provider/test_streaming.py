"""The forms of streams: what arrives in events is what the API would have sent whole."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.adapters import anthropic_response, gemini_response, openai_chat_response
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.gateway.provider.streaming.anthropic_stream import AnthropicStream
from libra.gateway.provider.streaming.body_tap import BodyTap
from libra.gateway.provider.streaming.chat_stream import ChatStream
from libra.gateway.provider.streaming.event_stream import EventStream
from libra.gateway.provider.streaming.form import StreamForm
from libra.gateway.provider.streaming.gemini_stream import GeminiStream
from libra.gateway.provider.streaming.responses_stream import ResponsesStream
from libra.gateway.provider.streaming.text_relay import RESTART, Restart, TextRelay
from libra.testing.scripted_provider import server_sent
from libra.v1 import completion_pb2 as pb
from libra.v1.model_pb2 import Model

MODEL = Model(name="m")
Events = list[dict[str, Any]]


def read(form: StreamForm, events: Events, *, done: bool = False) -> tuple[str, ProviderResult]:
    """Return the text that was passed on, and the result of the whole body by the API's own adapter."""
    relay = TextRelay()
    tap = BodyTap(form, relay, "")
    assert tap.accepts(200, {"Content-Type": "text/event-stream; charset=utf-8"})
    data = b"".join(map(server_sent, events)) + (b"data: [DONE]\n\n" if done else b"")
    for start in range(0, len(data), 7):  # parts end anywhere, also within a character
        tap.feed(data[start : start + 7])
    body = tap.body()
    text = "".join(relay._parts)
    if isinstance(body, ProviderFault):
        return text, body
    response = HttpResponse(200, {}, body)
    if isinstance(form, AnthropicStream):
        return text, anthropic_response.read(response, MODEL, "")
    if isinstance(form, GeminiStream):
        return text, gemini_response.read(response, MODEL, "")
    return text, openai_chat_response.read(200, {}, body, MODEL, "")


CHAT: Events = [
    {"choices": [], "prompt_filter_results": []},
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
    {"choices": [{"index": 0, "delta": {"content": "Grüß"}}]},
    {"choices": [{"index": 0, "delta": {"content": " dich"}}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}},
]
ANTHROPIC: Events = [
    {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 7, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hidden"}},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "Grüß"}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": " dich"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]
GEMINI: Events = [
    {"candidates": [{"content": {"parts": [{"text": "hidden", "thought": True}, {"text": "Grüß"}]}}]},
    {
        "candidates": [{"content": {"parts": [{"text": " dich"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 2},
    },
]
RESPONSE = {
    "object": "response",
    "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "Grüß dich"}]}],
    "usage": {"input_tokens": 7, "output_tokens": 2},
}
RESPONSES: Events = [
    {"type": "response.created"},
    {"type": "response.output_text.delta", "delta": "Grüß"},
    {"type": "response.output_text.delta", "delta": " dich"},
    {"type": "response.completed", "response": RESPONSE},
]
WHOLE: dict[str, tuple[StreamForm, Events]] = {
    "chat": (ChatStream(), CHAT),
    "anthropic": (AnthropicStream(), ANTHROPIC),
    "gemini": (GeminiStream(), GEMINI),
    "responses": (ResponsesStream(), RESPONSES),
}


@pytest.mark.parametrize(("form", "events"), WHOLE.values(), ids=WHOLE)
def test_events_make_the_answer_that_the_api_would_have_sent_whole(form: StreamForm, events: Events) -> None:
    text, result = read(form, events)
    assert isinstance(result, ProviderAnswer)
    assert text == result.text == "Grüß dich"
    assert (result.prompt_tokens, result.completion_tokens) == (7, 2)
    assert result.finish_reason == pb.FINISH_REASON_STOP


@pytest.mark.parametrize(("form", "events"), WHOLE.values(), ids=WHOLE)
def test_a_stream_that_breaks_off_is_no_answer(form: StreamForm, events: Events) -> None:
    kept = events[:1] if form is WHOLE["gemini"][0] else events[:-3]
    _, result = read(form, kept)
    assert isinstance(result, ProviderFault)
    assert "ended before the answer did" in result.reason


ERRORS: dict[str, tuple[StreamForm, Events]] = {
    "chat": (ChatStream(), [CHAT[2], {"error": {"message": "overloaded", "code": 503}}]),
    "anthropic": (
        AnthropicStream(),
        [*ANTHROPIC[:4], {"type": "error", "error": {"type": "overloaded_error", "message": "overloaded"}}],
    ),
    "gemini": (GeminiStream(), [GEMINI[0], {"error": {"code": 503, "message": "overloaded"}}]),
    "responses": (ResponsesStream(), [RESPONSES[1], {"type": "error", "message": "overloaded"}]),
}


@pytest.mark.parametrize(("form", "events"), ERRORS.values(), ids=ERRORS)
def test_an_error_in_the_middle_is_no_answer(form: StreamForm, events: Events) -> None:
    _, result = read(form, events)
    assert isinstance(result, ProviderFault)
    assert "overloaded" in result.reason


BLOCKED: dict[str, tuple[StreamForm, Events]] = {
    "chat": (ChatStream(), [CHAT[2], {"choices": [{"delta": {}, "finish_reason": "content_filter"}]}]),
    "anthropic": (AnthropicStream(), [*ANTHROPIC[:4], {"type": "message_delta", "delta": {"stop_reason": "refusal"}}]),
    "gemini": (GeminiStream(), [GEMINI[0], {"candidates": [{"finishReason": "SAFETY"}]}]),
}


@pytest.mark.parametrize(("form", "events"), BLOCKED.values(), ids=BLOCKED)
def test_a_block_in_the_middle_keeps_what_came_before(form: StreamForm, events: Events) -> None:
    text, result = read(form, events)
    assert isinstance(result, ProviderAnswer)
    assert result.response_class == pb.RESPONSE_CLASS_BLOCKED_OUTPUT
    assert text == result.text == "Grüß"


def test_a_prompt_that_gemini_blocks_is_a_block() -> None:
    _, result = read(GeminiStream(), [{"promptFeedback": {"blockReason": "SAFETY"}}])
    assert isinstance(result, ProviderAnswer)
    assert result.response_class == pb.RESPONSE_CLASS_BLOCKED_INPUT


def test_a_refusal_in_deltas_is_a_refusal() -> None:
    refusal: Events = [{"choices": [{"delta": {"refusal": "I can"}}]}, {"choices": [{"delta": {"refusal": "not"}}]}]
    _, result = read(ChatStream(), [*refusal, CHAT[4]])
    assert isinstance(result, ProviderAnswer)
    assert (result.response_class, result.text) == (pb.RESPONSE_CLASS_REFUSED, "I cannot")


def test_an_event_that_is_not_json_is_quoted() -> None:
    tap = BodyTap(ChatStream(), TextRelay(), "")
    tap.feed(b"data: {oops\n\n" + server_sent(CHAT[4]))
    fault = tap.body()
    assert isinstance(fault, ProviderFault)
    assert (fault.kind, "{oops" in fault.reason) == (FaultKind.UNREADABLE, True)


def test_events_are_found_however_lines_end_and_parts_are_cut() -> None:
    data = b"\xef\xbb\xbf: hello\r\nevent: x\r\ndata: one\r\ndata:two\r\n\r\nid: 1\n\ndata: three"
    stream, found = EventStream(), list[bytes]()
    for byte in data:
        found += stream.feed(bytes([byte]))
    assert [*found, *stream.end()] == [b"one\ntwo", b"three"]


def test_lone_surrogates_are_replaced() -> None:
    relay = TextRelay()
    tap = BodyTap(ChatStream(), relay, "")
    for chunk in (r'{"choices": [{"delta": {"content": "a\ud800b"}}]}', json.dumps(CHAT[4])):
        tap.feed(f"data: {chunk}\n\n".encode())
    body = tap.body()
    assert isinstance(body, bytes)
    assert "".join(relay._parts) == "a\N{REPLACEMENT CHARACTER}b"
    result = openai_chat_response.read(200, {}, body, MODEL, "")
    assert isinstance(result, ProviderAnswer)
    assert result.text == "a\N{REPLACEMENT CHARACTER}b"


async def test_a_late_listener_gets_the_text_from_the_beginning_and_a_restart() -> None:
    relay, heard = TextRelay(), list[str | Restart]()
    relay.add("one")

    async def listen() -> None:
        async for part in relay.parts():
            heard.append(part)

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    relay.add(" two")
    await asyncio.sleep(0.01)
    relay.restart()
    relay.add("three")
    relay.close()
    await listening
    assert heard in (["one", " two", RESTART, "three"], ["one two", RESTART, "three"])
