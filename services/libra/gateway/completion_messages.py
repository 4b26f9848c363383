"""Builds the messages that carry completed trials to the judges."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterator, Sequence

from libra.bus.streams import WORK_JUDGE
from libra.gateway.completion.answer_memory import AnswerMemory
from libra.stage.batch import MAX_BYTES, MAX_TRIALS
from libra.stage.bus import Outgoing
from libra.v1.batch_pb2 import CompletionBatch, TrialBatch
from libra.v1.completion_pb2 import Completion

FRAME_BYTES = 16
"""Bytes that the encoding adds to a trial and a completion."""


def to_messages(batch: TrialBatch, completions: Sequence[Completion]) -> list[Outgoing]:
    """Return the messages that carry the trials with their completions to the judges."""
    parts = split_completed(batch, completions)
    return [Outgoing(WORK_JUDGE, message_key(part), part.SerializeToString(deterministic=True)) for part in parts]


def split_completed(batch: TrialBatch, completions: Sequence[Completion]) -> Iterator[CompletionBatch]:
    """Yield the trials with their completions in as few batches as the limits allow, with one of them in memory."""
    if _fits_one_message(batch, completions):
        yield _whole_batch(batch, completions)
        return
    part, free_bytes = CompletionBatch(header=batch.header), MAX_BYTES
    for trial, completion in zip(batch.trials, completions, strict=True):
        size_bytes = trial.ByteSize() + completion.ByteSize() + FRAME_BYTES
        if part.trials and (size_bytes > free_bytes or len(part.trials) == MAX_TRIALS):
            yield part
            part, free_bytes = CompletionBatch(header=batch.header), MAX_BYTES
        completed = part.trials.add()
        completed.trial.CopyFrom(trial)
        completed.completion.CopyFrom(completion)
        free_bytes -= size_bytes
    yield part


def _fits_one_message(batch: TrialBatch, completions: Sequence[Completion]) -> bool:
    """Tell whether no split is needed, as for nearly every batch: then the trials need not be measured one by one."""
    completion_bytes = sum([completion.ByteSize() for completion in completions]) + FRAME_BYTES * len(completions)
    return len(completions) <= MAX_TRIALS and batch.ByteSize() + completion_bytes <= MAX_BYTES


def _whole_batch(batch: TrialBatch, completions: Sequence[Completion]) -> CompletionBatch:
    whole = CompletionBatch(header=batch.header)
    for trial, completion in zip(batch.trials, completions, strict=True):
        completed = whole.trials.add()
        completed.trial.CopyFrom(trial)
        completed.completion.CopyFrom(completion)
    return whole


class HeldMessage(Outgoing):
    """A message whose bytes count as memory for answers as long as it exists."""


def hold_message(message: Outgoing, memory: AnswerMemory) -> Outgoing:
    """Return the message, whose bytes count until it is published or given up."""
    held, size_bytes = HeldMessage(message.subject, message.key, message.data), len(message.data)
    memory.add(size_bytes)
    weakref.finalize(held, memory.remove, size_bytes).atexit = False
    return held


def message_key(batch: CompletionBatch) -> str:
    """Return the key of a batch: the same trials with the same answers are one message.

    It is not the hash of all bytes, because an answer that is found in the store has other `attempts` than a new one.
    """
    digest = hashlib.sha256(batch.header.SerializeToString(deterministic=True))
    for each in batch.trials:
        trial, completion = each.trial, each.completion
        digest.update(f"|{trial.sample}/{trial.epoch}/{completion.id}/{completion.finish_reason}".encode())
    return f"completions/{digest.hexdigest()}"
