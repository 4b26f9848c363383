"""Passes the text of an answer on to every caller who listens, while the answer arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from enum import Enum


class Restart(Enum):
    """The text so far is void, because the request is made again."""

    RESTART = "restart"


RESTART = Restart.RESTART


class TextRelay:
    """The text of one answer so far. A listener who comes late gets it from the beginning."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._attempt = 0
        self._is_closed = False
        self._changed = asyncio.Event()

    def add(self, text: str) -> None:
        """Append to the answer."""
        if text:
            self._parts.append(text)
            self._notify()

    def restart(self) -> None:
        """Forget the text so far, if there is any."""
        if self._parts:
            self._parts = []
            self._attempt += 1
            self._notify()

    def close(self) -> None:
        """End the answer for all listeners."""
        self._is_closed = True
        self._notify()

    async def parts(self) -> AsyncIterator[str | Restart]:
        """Yield the text as it arrives, until `close`."""
        attempt, position = self._attempt, 0
        while True:
            changed = self._changed
            if attempt != self._attempt:
                attempt, position = self._attempt, 0
                yield RESTART
            elif position < len(self._parts):
                text = "".join(self._parts[position:])
                position = len(self._parts)
                yield text
            elif self._is_closed:
                return
            else:
                await changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
