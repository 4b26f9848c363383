"""Reads the text of an answer, in every form that OpenAI-compatible endpoints send it in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

REASONING_KEYS = ("reasoning_content", "reasoning", "reasoning_details", "thinking")
REASONING_PARTS = frozenset({"thinking", "reasoning", "redacted_thinking", "reasoning_content", "thought"})
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
STREAM_STARTS = (b"data:", b"event:", b"id:", b":")


def parsed(body: bytes) -> object:
    """Return the JSON value, an assembled event stream, or None. Lone surrogates and invalid UTF-8 are kept."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    body = body.removeprefix(BYTE_ORDER_MARK).strip()
    if body.startswith(STREAM_STARTS):
        return assembled_stream(body.decode("utf-8", "replace"))
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def assembled_stream(stream: str) -> object:
    """Return the answer that an event stream spells out; None if it breaks off or contains no event that is JSON."""
    chunks, is_done = [], False
    for line in stream.splitlines():
        data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
        is_done = is_done or data == "[DONE]"
        try:
            chunk = json.loads(data) if data.startswith("{") else None
        except (ValueError, RecursionError):
            return None
        if isinstance(chunk, dict):
            chunks.append(chunk)
    if not chunks:
        return None
    whole: dict[str, Any] = {}
    choice: dict[str, Any] = {}
    message: dict[str, Any] = {}
    for chunk in chunks:
        whole.update({key: value for key, value in chunk.items() if key != "choices" and value is not None})
        first = first_of(chunk.get("choices"))
        if first is not None:
            choice.update({key: value for key, value in first.items() if value is not None})
            _add_delta(message, first.get("delta") or first.get("message"))
    if not (is_done or choice.get("finish_reason") or "error" in whole):
        return None
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


def first_of(choices: object) -> dict[str, Any] | None:
    """Return the first choice with a text, or the first; None if there is none."""
    if not isinstance(choices, list):
        return None
    found = [choice for choice in choices if isinstance(choice, dict)]
    if len(found) > 1:
        return next((choice for choice in found if text_of(choice)), found[0])
    return found[0] if found else None


def foreign_choice(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the answer in a body of another API (Anthropic, Gemini, Ollama, DashScope) as a choice; None if none."""
    output = document.get("output")
    if isinstance(output, dict):
        return first_of(output.get("choices")) or (output if isinstance(output.get("text"), str) else None)
    finish = document.get("stop_reason") or document.get("done_reason")
    if isinstance(document.get("message"), dict):
        return {"message": document["message"], "finish_reason": finish}
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


def message_of(choice: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the message of a choice; a legacy choice has only `text`. None if it has neither."""
    message = choice.get("message")
    if isinstance(message, dict):
        return message
    if isinstance(text := choice.get("text"), str):
        return {"content": text}
    delta = choice.get("delta")
    return delta if isinstance(delta, dict) else None


def text_of(choice: Mapping[str, Any]) -> str | None:
    """Return the text of a choice, which may be empty; None if it does not have the shape of a choice."""
    message = message_of(choice)
    if message is None:
        return None
    content = message.get("content")
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, dict):
        content = content.get("parts") or [content]
    if not isinstance(content, list):
        return None
    return "".join(_part_text(part) for part in content)


def _part_text(part: object) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or _is_reasoning(part):
        return ""
    text = part.get("text")
    if isinstance(text, dict):
        text = text.get("value")
    return text if isinstance(text, str) else ""


def refusal_of(choice: Mapping[str, Any]) -> str:
    """Return the text that the provider marks as a refusal; "" if there is none."""
    message = message_of(choice) or {}
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        return refusal
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    found = [part.get("refusal") for part in parts if isinstance(part, dict)]
    return "".join(part for part in found if isinstance(part, str))


def has_reasoning(choice: Mapping[str, Any]) -> bool:
    """Tell whether a choice has reasoning outside its text."""
    message = message_of(choice) or {}
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    return any(message.get(key) for key in REASONING_KEYS) or any(
        isinstance(part, dict) and _is_reasoning(part) for part in parts
    )


def _is_reasoning(part: Mapping[str, Any]) -> bool:
    kind = part.get("type")
    return (isinstance(kind, str) and kind in REASONING_PARTS) or part.get("thought") is True
