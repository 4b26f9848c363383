"""The stream of Google's streamGenerateContent: every event is a response with the next parts of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from libra.gateway.provider.response.response_text import first_of_candidates

WHOLE, STREAMED = ":generateContent", ":streamGenerateContent?alt=sse"


class GeminiStream:
    """Reads responses, whose candidates have the next parts."""

    def url(self, url: str) -> str:
        """Return the URL of the other method."""
        return url.removesuffix(WHOLE) + STREAMED

    def fields(self) -> Mapping[str, Any]:
        """Return nothing: the method streams."""
        return {}

    def text(self, event: Mapping[str, Any]) -> str:
        """Return the text of a response's parts, without thoughts."""
        shown = [part for part in _parts(_candidate(event)) if part.get("thought") is not True]
        return "".join(text for part in shown if isinstance(text := part.get("text"), str))

    def body(self, events: Sequence[dict[str, Any]], *, is_done: bool) -> dict[str, Any] | None:  # noqa: ARG002
        """Return the responses as one; None without a reason why the answer ended."""
        whole: dict[str, Any] = {}
        candidate: dict[str, Any] = {}
        parts: list[dict[str, Any]] = []
        for event in events:
            whole.update({name: value for name, value in event.items() if name != "candidates"})
            candidate.update({name: value for name, value in _candidate(event).items() if name != "content"})
            parts += _parts(_candidate(event))
        if "error" in whole:
            return {"error": whole["error"]}
        if not candidate.get("finishReason"):
            return whole if "promptFeedback" in whole and not parts else None
        return {**whole, "candidates": [{**candidate, "content": {"role": "model", "parts": parts}}]}


def _candidate(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return first_of_candidates(event.get("candidates")) or {}


def _parts(candidate: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
