"""Write answers down, and hold on to those that cannot be written yet: they are paid for."""

from __future__ import annotations

import asyncio

import structlog

from libra.errors import Unavailable
from libra.gateway.completion.request import CompletionRequest
from libra.store.completions import CompletionCollection as Kept
from libra.telemetry.log_actions import Action
from libra.v1.completion_pb2 import Completion

log = structlog.get_logger(__name__)

FIRST_WAIT_SECONDS = 0.2
MOST_WAIT_SECONDS = 5.0

SLOW_SECONDS = 0.5
"""An answer is written down within some milliseconds, on a busy machine within a tenth of a second. One that is not by then waits
for a store that may be gone: the driver takes five seconds and more to say so, and what is bought meanwhile is lost with it."""


class CompletionWriter:
    """Keeps answers. While one waits for the store no new ones should be bought: see `ready`."""

    def __init__(self, kept: Kept, hold_seconds: float, slow_seconds: float = SLOW_SECONDS) -> None:
        self._kept = kept
        self._hold_seconds, self._slow_seconds = hold_seconds, slow_seconds
        self._slow = f"no word of it for {slow_seconds:g} s"
        self._held: set[object] = set()
        self._none_held = asyncio.Event()
        self._none_held.set()

    @property
    def holds(self) -> bool:
        """Whether an answer waits for the store."""
        return bool(self._held)

    async def ready(self) -> None:
        """Return when no answer waits for the store."""
        await self._none_held.wait()

    async def keep(self, completion: Completion, question: CompletionRequest) -> Completion:
        """Return the answer that is kept, once it is durable: this one, or an earlier one to the same question.

        Raises Unavailable when the store was away for as long as an answer may be held.
        """
        mark, loop = object(), asyncio.get_running_loop()
        slow = loop.call_later(self._slow_seconds, self._hold, mark, self._slow)
        try:
            return await self._kept.insert_or_get(completion, question.messages)
        except Unavailable as outage:
            self._hold(mark, str(outage))
            return await self._keep_trying(completion, question)
        finally:
            slow.cancel()
            self._let_go(mark)

    def _hold(self, mark: object, reason: str) -> None:
        if not self._held:  # the first says it for all
            log.warning("answers wait for the store", action=Action.ANSWER_HELD, reason=reason)
        self._held.add(mark)
        self._none_held.clear()

    def _let_go(self, mark: object) -> None:
        self._held.discard(mark)
        if not self._held:
            self._none_held.set()

    async def _keep_trying(self, completion: Completion, question: CompletionRequest) -> Completion:
        now = asyncio.get_running_loop().time
        until = now() + self._hold_seconds
        wait = FIRST_WAIT_SECONDS
        while True:
            await asyncio.sleep(wait)
            wait = min(2 * wait, MOST_WAIT_SECONDS)
            try:
                return await self._kept.insert_or_get(completion, question.messages)
            except Unavailable:
                if now() + wait > until:
                    raise
