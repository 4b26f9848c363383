"""The stream of OpenAI's Responses API: https://platform.openai.com/docs/api-reference/responses-streaming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from libra.gateway.provider.response.responses_output import is_end_of_stream

TEXT_DELTA, ERROR = "response.output_text.delta", "error"


class ResponsesStream:
    """Reads events, of which the last one has the whole response."""

    def url(self, url: str) -> str:
        """Return the same URL."""
        return url

    def fields(self) -> Mapping[str, Any]:
        """Return the field."""
        return {"stream": True}

    def text(self, event: Mapping[str, Any]) -> str:
        """Return the text of a delta."""
        delta = event.get("delta")
        return delta if event.get("type") == TEXT_DELTA and isinstance(delta, str) else ""

    def body(self, events: Sequence[dict[str, Any]], *, is_done: bool) -> dict[str, Any] | None:  # noqa: ARG002
        """Return the response of the last event, or the error."""
        for event in reversed(events):
            if is_end_of_stream(event):
                response: dict[str, Any] = event["response"]
                return response
            if event.get("type") == ERROR or event.get("error"):
                return {"error": event.get("error") or event}
        return None
