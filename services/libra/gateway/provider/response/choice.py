"""Reads a choice of chat completions, in every form that servers send it in: text, refusal, reasoning and tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REASONING_KEYS = ("reasoning_content", "reasoning", "reasoning_details", "thinking")
REASONING_PARTS = frozenset({"thinking", "reasoning", "redacted_thinking", "reasoning_content", "thought"})
MAX_NAME_CHARACTERS = 100


def first_of(choices: object) -> dict[str, Any] | None:
    """Return the first choice with a text, or the first; None if there is none."""
    if not isinstance(choices, list):
        return None
    if len(choices) == 1:
        return choices[0] if isinstance(choices[0], dict) else None
    found = [choice for choice in choices if isinstance(choice, dict)]
    if len(found) > 1:
        return next((choice for choice in found if text_of(choice)), found[0])
    return found[0] if found else None


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
    if isinstance(content, str):
        return ""
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


def tool_names(choice: Mapping[str, Any]) -> list[str]:
    """Return the names of the tools that a choice calls."""
    message = message_of(choice) or {}
    calls = message.get("tool_calls")
    content = message.get("content")
    called = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    found = [call.get("function") for call in [*called, {"function": message.get("function_call")}]]
    found += [part for part in parts if part.get("type") == "tool_use"]
    return [str(tool.get("name") or "a tool")[:MAX_NAME_CHARACTERS] for tool in found if isinstance(tool, dict)]
