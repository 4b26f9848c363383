"""The stream of Anthropic's Messages API: https://docs.claude.com/en/docs/build-with-claude/streaming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PARTS = {"text_delta": "text", "thinking_delta": "thinking"}
"""The field of a block that a delta adds to, by the type of the delta."""


class AnthropicStream:
    """Reads events: a message, its blocks with their deltas, and the reason why it stopped."""

    def url(self, url: str) -> str:
        """Return the same URL."""
        return url

    def fields(self) -> Mapping[str, Any]:
        """Return the field."""
        return {"stream": True}

    def text(self, event: Mapping[str, Any]) -> str:
        """Return the text with which a block begins, or that a delta adds."""
        part = _object(event.get("content_block" if event.get("type") == "content_block_start" else "delta"))
        text = part.get("text")
        return text if part.get("type") in ("text", "text_delta") and isinstance(text, str) else ""

    def body(self, events: Sequence[dict[str, Any]], *, is_done: bool) -> dict[str, Any] | None:  # noqa: ARG002
        """Return the message, or the error; None without the reason why the message stopped."""
        message: dict[str, Any] = {}
        blocks: dict[object, dict[str, Any]] = {}
        for event in events:
            match event.get("type"):
                case "message_start":
                    message = dict(_object(event.get("message")))
                case "content_block_start":
                    blocks[event.get("index")] = dict(_object(event.get("content_block")))
                case "content_block_delta":
                    _add(blocks.setdefault(event.get("index"), {"type": "text"}), _object(event.get("delta")))
                case "message_delta":
                    usage = {**_object(message.get("usage")), **_object(event.get("usage"))}
                    message |= {**_object(event.get("delta")), "usage": usage}
                case "error":
                    return {"type": "error", "error": event.get("error")}
        return {**message, "content": list(blocks.values())} if message.get("stop_reason") else None


def _add(block: dict[str, Any], delta: Mapping[str, Any]) -> None:
    name = PARTS.get(str(delta.get("type")), "")
    if name and isinstance(text := delta.get(name), str):
        block[name] = str(block.get(name) or "") + text


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
