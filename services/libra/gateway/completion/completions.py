"""One answer for each distinct question: found, shared with whoever asks the same now, or asked for and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence

from libra.gateway.completion.key import completion_id
from libra.gateway.completion.lookup import Lookup
from libra.gateway.completion.request import CompletionRequest
from libra.gateway.completion.single_flight import Flight, SingleFlight
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.limits.limiter import Lane
from libra.gateway.model_channel import ModelChannel, ModelChannels
from libra.gateway.model_client import ModelClient
from libra.store.completions import CompletionCollection as Kept
from libra.v1.completion_pb2 import FINISH_REASON_ERROR, Completion

Work = Flight[Completion]
Joined = tuple[str, Work, bool]
"""The name of an answer, the work on it, and whether it was begun for whoever holds this."""


class Completions:
    """Answers questions. Nothing is asked twice, in this process, as long as the store keeps what it was given."""

    def __init__(self, kept: Kept, asker: ModelClient, keeper: CompletionWriter, lines: ModelChannels) -> None:
        self._kept, self._asker, self._keeper, self._lines = kept, asker, keeper, lines
        self._sharing: SingleFlight[Completion] = SingleFlight()

    async def answer(
        self, questions: Sequence[CompletionRequest], lane: Lane, *, on_answer: Callable[[], None] = lambda: None
    ) -> list[Completion]:
        """Return the completion of each question, in order; `on_answer` is called as each becomes known.

        A question without an answer has FINISH_REASON_ERROR. Raises Unavailable if the store cannot be reached, or this
        replica is about to stop: what is under way is then answered and kept first, so that it is found the next time.
        """
        if not questions:
            return []
        lookup = Lookup(self._kept.get_many)
        joined = [self._join(question, lane, lookup) for question in questions]
        for _, work, _ in joined:
            work.task.add_done_callback(lambda _: on_answer())
        try:
            # Waited for, not awaited: to be cancelled here must not cancel what others share.
            done, _ = await asyncio.wait({work.task for _, work, _ in joined}, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        except BaseException as error:
            self._leave(joined)
            if not isinstance(error, asyncio.CancelledError):
                await _settled([work for _, work, _ in joined])
            raise
        self._leave(joined)
        return [work.task.result() if first else _shared(work.task.result()) for _, work, first in joined]

    async def settle(self, seconds: float) -> None:
        """Wait for requests that are under way to be answered and kept; give up after so long."""
        under_way = self._sharing.under_way()
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _join(self, question: CompletionRequest, lane: Lane, lookup: Lookup) -> Joined:
        name = completion_id(question)
        line = self._lines.to(question.model)

        def start(work: Work) -> Coroutine[None, None, Completion]:
            lookup.want(name)
            return self._find_or_ask(name, question, line, lane, lookup, work)

        work, first = self._sharing.join(name, start)
        return name, work, first

    def _leave(self, joined: Sequence[Joined]) -> None:
        for name, work, _ in joined:
            self._sharing.leave(name, work)

    async def _find_or_ask(
        self, name: str, question: CompletionRequest, line: ModelChannel, lane: Lane, lookup: Lookup, work: Work
    ) -> Completion:
        found = await lookup.find(name)
        if found is not None:
            line.meter.found.inc()
            return _shared(found)
        try:
            completion = await self._asker.ask(name, question, line, lane, work, lambda: lookup.again(name))
            if completion.finish_reason == FINISH_REASON_ERROR:
                return completion
            if not work.under_way:  # it was answered elsewhere while it waited here
                line.meter.found.inc()
                return _shared(completion)
            kept = await self._keeper.keep(completion, question)
            kept.attempts = completion.attempts
            return kept
        finally:
            work.under_way = False


async def _settled(works: Sequence[Work]) -> None:
    """Wait for what is under way."""
    tasks = [work.task for work in works if work.under_way]
    if tasks:
        await asyncio.wait(tasks)


def _shared(completion: Completion) -> Completion:
    """Return a completion for which nothing was asked: it was found, or is somebody else's."""
    copy = Completion()
    copy.CopyFrom(completion)
    if copy.finish_reason != FINISH_REASON_ERROR:
        copy.attempts = 0
    return copy
