"""Reads a body as JSON, and finds the choice in bodies of other forms than chat completions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from libra.gateway.provider.response.choice import first_of
from libra.gateway.provider.response.responses_output import is_end_of_stream, is_responses_body, responses_choice

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
STREAM_STARTS = (b"data:", b"event:", b"id:")
COMMENTS = re.compile(rb"(?:\s*:[^\n]*(?:\n|$))+")
"""Lines with which a server or proxy keeps a connection open before it answers."""

LINE_END = re.compile(rb"\}\r?\n\s*\{")
"""Between objects of JSON Lines, which Ollama sends as a stream."""

ENVELOPES = ("data", "result", "response")
"""The fields in which proxies wrap a body."""


def parsed(body: bytes) -> object:
    """Return the JSON value, an assembled event stream, or None. Lone surrogates and invalid UTF-8 are kept."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    body = body.removeprefix(BYTE_ORDER_MARK).strip()
    if comments := COMMENTS.match(body):
        body = body[comments.end() :].strip()
    if body.startswith(STREAM_STARTS) or (body.startswith(b"{") and LINE_END.search(body)):
        assembled = assembled_stream(body.decode("utf-8", "replace"))
        if assembled is not None or not body.startswith(b"{"):
            return assembled
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def assembled_stream(stream: str) -> object:
    """Return the answer that an event stream spells out; None if it breaks off or contains no event that is JSON."""
    chunks, is_done = [], False
    for line in stream.splitlines():
        data = line.removeprefix("data:").strip() if line.startswith(("data:", "{")) else ""
        is_done = is_done or data == "[DONE]"
        try:
            chunk = json.loads(data) if data.startswith("{") else None
        except (ValueError, RecursionError):
            return None
        if isinstance(chunk, dict):
            if is_end_of_stream(chunk):
                return chunk["response"]
            chunks.append(chunk)
    if not chunks:
        return None
    return join_chunks(chunks, is_done=is_done)


def join_chunks(chunks: list[dict[str, Any]], *, is_done: bool) -> dict[str, Any] | None:
    """Return the chunks as one body; None if the last one is missing. After an error, the answer has not ended."""
    whole: dict[str, Any] = {}
    choice: dict[str, Any] = {}
    message: dict[str, Any] = {}
    for chunk in chunks:
        whole.update({key: value for key, value in chunk.items() if key != "choices" and value is not None})
        is_done = is_done or chunk.get("done") is True
        first = first_of(chunk.get("choices")) or foreign_choice(chunk)
        if first is not None:
            choice.update({key: value for key, value in first.items() if value is not None})
            _add_delta(message, first.get("delta") or first.get("message"))
    if not (is_done or choice.get("finish_reason") or "error" in whole):
        return None
    if "error" in whole and not choice.get("finish_reason"):
        choice = choice and {**choice, "finish_reason": "error"}
    return whole | ({"choices": [choice | {"message": message}]} if choice else {})


def _add_delta(message: dict[str, Any], delta: object) -> None:
    for key, value in delta.items() if isinstance(delta, dict) else ():
        earlier = message.get(key)
        is_text = isinstance(value, str) and isinstance(earlier, str) and key != "role"
        is_list = isinstance(value, list) and isinstance(earlier, list)
        if is_text or is_list:
            message[key] = message[key] + value
        elif value is not None:
            message[key] = value


def unwrapped(document: dict[str, Any]) -> dict[str, Any]:
    """Return the body within the envelope of a proxy, or the document if it is no envelope."""
    if document.get("choices") or document.get("success") is False:
        return document
    inner = [document.get(name) for name in ENVELOPES]
    bodies = [each for each in inner if isinstance(each, dict) and (each.get("choices") or "response" in each)]
    return bodies[0] if bodies else document


def foreign_choice(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the answer in a body of another API as a choice; None if it has none.

    The APIs are OpenAI's Responses and those of Anthropic, Gemini, Ollama and DashScope.
    """
    if is_responses_body(document):
        return responses_choice(document)
    output = document.get("output")
    if isinstance(output, dict):
        return first_of(output.get("choices")) or (output if isinstance(output.get("text"), str) else None)
    finish = document.get("stop_reason") or document.get("done_reason")
    text = document.get("response")  # of Ollama's generate and Cloudflare's run, and of errors of proxies
    is_answer = isinstance(text, str) and ("done" in document or "usage" in document)
    message = {"content": text} if is_answer else document.get("message")
    if isinstance(message, dict):
        return {"message": message, "finish_reason": finish}
    if isinstance(document.get("content"), list) and "stop_reason" in document:
        return {**document, "message": {"content": document["content"]}, "finish_reason": finish}
    candidate = first_of_candidates(document.get("candidates"))
    if candidate is not None:
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        return {**candidate, "message": {"content": parts}, "finish_reason": candidate.get("finishReason")}
    return None


def first_of_candidates(candidates: object) -> dict[str, Any] | None:
    """Return Gemini's first candidate; None if there is none."""
    first = candidates[0] if isinstance(candidates, list) and candidates else None
    return first if isinstance(first, dict) else None
