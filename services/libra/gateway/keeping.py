"""Write answers down, and hold on to those that cannot be written yet: they are paid for."""

from __future__ import annotations

import asyncio

import structlog

from libra.errors import Unavailable
from libra.gateway.question import Question
from libra.store.completions import Completions as Kept
from libra.telemetry.actions import Action
from libra.v1.completion_pb2 import Completion

log = structlog.get_logger(__name__)

FIRST_WAIT_SECONDS = 0.2
MOST_WAIT_SECONDS = 5.0


class Keeper:
    """Keeps answers. While one waits for the store no new ones should be bought: see `ready`."""

    def __init__(self, kept: Kept, hold_seconds: float) -> None:
        self._kept = kept
        self._hold_seconds = hold_seconds
        self._held = 0
        self._none_held = asyncio.Event()
        self._none_held.set()

    @property
    def holds(self) -> bool:
        """Whether an answer waits for the store."""
        return self._held > 0

    async def ready(self) -> None:
        """Return when no answer waits for the store."""
        await self._none_held.wait()

    async def keep(self, completion: Completion, question: Question) -> Completion:
        """Return the answer that is kept, once it is durable: this one, or an earlier one to the same question.

        Raises Unavailable when the store was away for as long as an answer may be held.
        """
        try:
            return await self._kept.put(completion, question.messages)
        except Unavailable as outage:
            if not self._held:  # the first says it for all
                log.warning("answers wait for the store", action=Action.ANSWER_HELD, reason=str(outage))
        self._held += 1
        self._none_held.clear()
        try:
            return await self._keep_trying(completion, question)
        finally:
            self._held -= 1
            if not self._held:
                self._none_held.set()

    async def _keep_trying(self, completion: Completion, question: Question) -> Completion:
        now = asyncio.get_running_loop().time
        until = now() + self._hold_seconds
        wait = FIRST_WAIT_SECONDS
        while True:
            await asyncio.sleep(wait)
            wait = min(2 * wait, MOST_WAIT_SECONDS)
            try:
                return await self._kept.put(completion, question.messages)
            except Unavailable:
                if now() + wait > until:
                    raise
