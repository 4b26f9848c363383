"""Adds messages and completions to verdicts, and removes what must not be shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Container, Sequence

from libra.core.sealed.sealing import redact_verdict
from libra.store.client import Store
from libra.v1.completion_pb2 import Completion
from libra.v1.verdict_pb2 import Verdict

READ_COMPLETIONS = 8
"""The most in one request: about 24 MiB at most."""

CLOCK_MILLISECONDS = 60_000
"""The clocks of two replicas differ by less."""


async def add_completions(store: Store, verdicts: Sequence[Verdict]) -> AsyncIterator[Verdict]:
    """Yield the verdicts with the messages and the completions that are stored."""
    for start in range(0, len(verdicts), READ_COMPLETIONS):
        group = verdicts[start : start + READ_COMPLETIONS]
        ids = {verdict.completion_id for verdict in group} - {""}
        completions = await store.completions.get_many(ids)
        messages = await store.completions.get_messages(ids)
        for verdict in group:
            completion = completions.get(verdict.completion_id)
            if completion is not None and not _is_later(completion, verdict):
                verdict.completion.CopyFrom(completion)
                verdict.messages.extend(messages.get(verdict.completion_id, ()))
            yield verdict


def _is_later(completion: Completion, verdict: Verdict) -> bool:
    """Return whether another answer was judged: the text of that one was removed, and its request made again."""
    if not (completion.HasField("create_time") and verdict.HasField("create_time")):
        return False
    delay = completion.create_time.ToMilliseconds() - verdict.create_time.ToMilliseconds()
    return delay > CLOCK_MILLISECONDS


async def redact_sealed(store: Store, verdicts: Sequence[Verdict], opened: Container[str] = ()) -> list[Verdict]:
    """Return the verdicts, those on sealed samples without what may quote them, except of the tasks in `opened`."""
    ordinals: defaultdict[str, list[int]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.task not in opened:
            ordinals[verdict.task].append(verdict.sample)
    sealed = await store.seals.find_sealed(ordinals)
    return [
        redact_verdict(verdict) if verdict.sample in sealed.get(verdict.task, ()) else verdict for verdict in verdicts
    ]
