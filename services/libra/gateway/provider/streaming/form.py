"""The contract of a stream's form: how it is requested, and what its events say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class StreamForm(Protocol):
    """Translates, and does no I/O. Nothing in an event is trusted, and nothing raises."""

    def url(self, url: str) -> str:
        """Return the URL that streams in place of the URL that does not."""

    def fields(self) -> Mapping[str, Any]:
        """Return the fields of the body that ask for a stream."""

    def text(self, event: Mapping[str, Any]) -> str:
        """Return the text that an event adds to the answer, without reasoning."""

    def body(self, events: Sequence[dict[str, Any]], *, is_done: bool) -> dict[str, Any] | None:
        """Return the body that the API would have sent without streaming; None if the stream broke off.

        `is_done` tells whether the stream ended with the event "[DONE]".
        """
