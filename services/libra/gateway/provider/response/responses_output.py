"""Reads the body of OpenAI's Responses API as a choice of chat completions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

COMMENTARY = "commentary"
"""The phase of messages before the final answer."""

FINISHED = ("completed", "incomplete", None)
"""The values of `status` of a response that is whole without a message, or that a server leaves out."""

LAST_EVENTS = ("response.completed", "response.incomplete", "response.failed")
ENDED_WITH_TEXT = "stop"
CALL_SUFFIX = "_call"
"""The end of the type of items that call a tool: function_call, custom_tool_call, web_search_call and others."""

ECHOED_FIELDS = frozenset({"input", "instructions", "metadata", "prompt", "prompt_cache_key", "text", "tools", "user"})
"""Fields that repeat the request, which say nothing about what came back."""


def is_responses_body(document: Mapping[str, Any]) -> bool:
    """Tell whether a body has the form of the Responses API."""
    output = document.get("output")
    if not isinstance(output, list):
        return False
    return document.get("object") == "response" or any(isinstance(item, dict) and "type" in item for item in output)


def is_end_of_stream(event: Mapping[str, Any]) -> bool:
    """Tell whether an event of a stream has the whole body, because it is the last one."""
    return event.get("type") in LAST_EVENTS and isinstance(event.get("response"), dict)


def without_request(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body without what it repeats of the request."""
    return {name: value for name, value in document.items() if name not in ECHOED_FIELDS}


def responses_choice(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the answer in a body as a choice; None if it has none, because it failed or has not ended."""
    items = [item for item in document["output"] if isinstance(item, dict)]
    contents = list(_contents(items))
    if not contents and document.get("status") not in FINISHED:
        return None
    message = {
        "content": contents,
        "reasoning": any(item.get("type") == "reasoning" for item in items),
        "tool_calls": [
            {"function": {"name": item.get("name") or item.get("type")}} for item in items if _is_call(item.get("type"))
        ],
    }
    return {"message": message, "finish_reason": _finish_reason(document)}


def _contents(items: list[dict[str, Any]]) -> Iterator[Any]:
    """Yield the parts of all messages, without commentary if there is something else."""
    messages = [item for item in items if item.get("type") == "message"]
    final = [message for message in messages if message.get("phase") != COMMENTARY]
    for message in final or messages:
        content = message.get("content")
        yield from content if isinstance(content, list) else [content]


def _is_call(kind: object) -> bool:
    return isinstance(kind, str) and kind.endswith(CALL_SUFFIX)


def _finish_reason(document: Mapping[str, Any]) -> object:
    """Return why the answer ended, in words that chat completions have as well."""
    status, details = document.get("status"), document.get("incomplete_details")
    if status == "incomplete" and isinstance(details, dict):
        return details.get("reason") or status
    return ENDED_WITH_TEXT if status == "completed" else status
