"""Reads a streamed answer while it arrives: passes its text on, and makes the whole body of it at the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson

from libra.gateway.provider.keys.api_key import PIECE_CHARACTERS
from libra.gateway.provider.response.error_text import quote, replace_surrogates
from libra.gateway.provider.result import FaultKind, ProviderFault
from libra.gateway.provider.streaming.event_stream import EventStream
from libra.gateway.provider.streaming.form import StreamForm
from libra.gateway.provider.streaming.text_relay import TextRelay

EVENT_STREAM = "text/event-stream"
DONE = b"[DONE]"


class BodyTap:
    """Takes the body of one response, if it is a stream."""

    def __init__(self, form: StreamForm, relay: TextRelay, secrets: str) -> None:
        """`secrets` are the keys that must not reach a listener, one a line."""
        self._form, self._relay = form, KeyedRelay(relay, secrets)
        self._secrets = secrets
        self._stream = EventStream()
        self._events: list[dict[str, Any]] = []
        self._malformed: bytes | None = None
        self._is_done = False
        self.is_open = False
        """Whether the response is a stream."""

    def accepts(self, status: int, headers: Mapping[str, str]) -> bool:
        """Return whether the response is a stream, whose parts go to `feed`."""
        self.is_open = status == HTTPStatus.OK and headers.get("Content-Type", "").strip().startswith(EVENT_STREAM)
        return self.is_open

    def feed(self, part: bytes) -> None:
        """Take the next part of the body."""
        for data in self._stream.feed(part):
            self._take(data)

    def body(self) -> bytes | ProviderFault:
        """Return the body that the API would have sent without streaming, or why there is none."""
        for data in self._stream.end():
            self._take(data)
        if self._malformed is not None:
            words = quote(self._malformed, self._secrets)
            return ProviderFault(f"the provider streamed an event that is not JSON: {words}", FaultKind.UNREADABLE)
        whole = self._form.body(self._events, is_done=self._is_done)
        if whole is None:
            return ProviderFault(
                f"the provider's stream ended before the answer did, after {len(self._events)} events",
                FaultKind.UNREADABLE,
            )
        self._relay.flush()
        return json.dumps(whole).encode()  # orjson refuses lone surrogates

    def _take(self, data: bytes) -> None:
        if self._malformed is not None or self._is_done:
            return
        if data.strip() == DONE:
            self._is_done = True
            return
        try:
            event = _parsed(data)
        except ValueError:
            self._malformed = data
            return
        if isinstance(event, dict):
            self._events.append(event)
            self._relay.add(replace_surrogates(self._form.text(event)))


def _parsed(data: bytes) -> object:
    """Return an event as JSON. Raises ValueError."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data.decode("utf-8", "replace"))  # takes lone surrogates


class KeyedRelay:
    """Passes text on, unless it quotes a key: a listener sees at most PIECE_CHARACTERS - 1 characters of one."""

    def __init__(self, relay: TextRelay, secrets: str) -> None:
        size = PIECE_CHARACTERS
        keys = [key for key in secrets.split("\n") if key]
        self._pieces = {key[start : start + size] for key in keys for start in range(max(1, len(key) - size + 1))}
        self._relay, self._held, self._is_quoting = relay, "", False

    def add(self, text: str) -> None:
        """Pass text on. With keys, the last characters are held back until more follows."""
        if not self._pieces:
            self._relay.add(text)
            return
        self._held += text
        self._is_quoting = self._is_quoting or any(piece in self._held for piece in self._pieces)
        if self._is_quoting:
            return
        end = max(0, len(self._held) - PIECE_CHARACTERS + 1)
        self._relay.add(self._held[:end])
        self._held = self._held[end:]

    def flush(self) -> None:
        """Pass on what was held back.

        An answer that quotes a key ends where the key begins: the completion has all of it, with the key masked.
        """
        if not self._is_quoting:
            self._relay.add(self._held)
        self._held = ""
