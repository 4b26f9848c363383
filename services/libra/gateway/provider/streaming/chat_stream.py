"""The stream of chat completions in OpenAI's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from libra.gateway.provider.response.choice import first_of, text_of
from libra.gateway.provider.response.response_text import join_chunks


class ChatStream:
    """Reads chunks, whose deltas are parts of the message."""

    def url(self, url: str) -> str:
        """Return the same URL."""
        return url

    def fields(self) -> Mapping[str, Any]:
        """Return the fields; the usage is then in a last chunk."""
        return {"stream": True, "stream_options": {"include_usage": True}}

    def text(self, event: Mapping[str, Any]) -> str:
        """Return the text of a chunk."""
        choice = first_of(event.get("choices"))
        return (text_of(choice) or "") if choice is not None else ""

    def body(self, events: Sequence[dict[str, Any]], *, is_done: bool) -> dict[str, Any] | None:
        """Return the chunks as one completion."""
        return join_chunks(list(events), is_done=is_done)
