"""The contract of what takes a response's body while it arrives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class BodySink(Protocol):
    """Takes a body while it arrives."""

    def accepts(self, status: int, headers: Mapping[str, str]) -> bool:
        """Return whether the body of this response goes to `feed`; else it is returned whole."""

    def feed(self, part: bytes) -> None:
        """Take the next part."""
