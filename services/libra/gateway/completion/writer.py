"""Stores answers, and keeps those in memory that cannot be stored yet: they are paid for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from libra.core.errors import Unavailable
from libra.store.completions import CompletionCollection
from libra.telemetry.log_actions import Action
from libra.v1.completion_pb2 import Completion
from libra.v1.message_pb2 import Message

log = structlog.get_logger(__name__)

FIRST_WAIT_SECONDS = 0.2
MAX_WAIT_SECONDS = 5.0

SLOW_SECONDS = 0.5
"""A write takes some milliseconds, and up to 0.1 s on a busy machine. A write that is slower than this may wait for a
store that is gone: the driver reports that only after five seconds or more, and every answer bought meanwhile might be
lost."""


class CompletionWriter:
    """Writes answers durably. While one waits for the store, no new requests should be sent: see `wait_until_ready`."""

    def __init__(self, store: CompletionCollection, hold_seconds: float, slow_seconds: float = SLOW_SECONDS) -> None:
        self._store = store
        self._hold_seconds, self._slow_seconds = hold_seconds, slow_seconds
        self._slow_reason = f"no reply for {slow_seconds:g} s"
        self._blocked: set[object] = set()
        self._ready = asyncio.Event()
        self._ready.set()

    @property
    def is_ready(self) -> bool:
        """Whether no answer waits for the store."""
        return not self._blocked

    async def wait_until_ready(self) -> None:
        """Return when no answer waits for the store."""
        await self._ready.wait()

    async def write(self, completion: Completion, messages: Sequence[Message]) -> Completion:
        """Return the stored answer to the messages once it is durable: this one, or an earlier one to the same request.

        Raises Unavailable if the store was away for as long as an answer may be kept in memory.
        """
        write, loop = object(), asyncio.get_running_loop()
        slow = loop.call_later(self._slow_seconds, self._block, write, self._slow_reason)
        try:
            return await self._store.insert_or_get(completion, messages)
        except Unavailable as outage:
            self._block(write, str(outage))
            return await self._retry(completion, messages)
        finally:
            slow.cancel()
            self._unblock(write)

    def _block(self, write: object, reason: str) -> None:
        if not self._blocked:  # one log line for all writes of an outage
            log.warning("answers wait for the store", action=Action.ANSWER_HELD, reason=reason)
        self._blocked.add(write)
        self._ready.clear()

    def _unblock(self, write: object) -> None:
        self._blocked.discard(write)
        if not self._blocked:
            self._ready.set()

    async def _retry(self, completion: Completion, messages: Sequence[Message]) -> Completion:
        now = asyncio.get_running_loop().time
        until = now() + self._hold_seconds
        wait_seconds = FIRST_WAIT_SECONDS
        while True:
            await asyncio.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, MAX_WAIT_SECONDS)
            try:
                return await self._store.insert_or_get(completion, messages)
            except Unavailable:
                if now() + wait_seconds > until:
                    raise
