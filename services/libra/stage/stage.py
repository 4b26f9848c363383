"""The definition of a stage: its name, how it decodes a message, and how it handles the batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from libra.stage.bus import Outgoing
from libra.stage.policy import Policy
from libra.v1.batch_pb2 import BatchHeader


class Batch(Protocol):
    """A message that carries trials of one run."""

    @property
    def header(self) -> BatchHeader:
        """The fields that its trials share."""
        ...


In = TypeVar("In", bound=Batch)


@dataclass(frozen=True, slots=True)
class Stage(Generic[In]):
    """A stage of the pipeline, without its transport."""

    name: str
    """The name in `dead.<name>` and in metrics."""

    decode: Callable[[bytes], In]
    """Parses a message. Any exception dead-letters the message, since parsing it again would fail again."""

    handle: Callable[[In], Awaitable[Sequence[Outgoing]]]
    """Returns the messages to publish. It may be called again with the same batch at any time, so it must be
    idempotent.

    Raises:
        libra.stage.errors.Retry: redeliver the batch later.
        libra.stage.errors.Reject: dead-letter the batch.
        libra.core.errors.Unavailable: a dependency is away; the stage waits for it and calls again.
        Exception: any other is a bug; the batch is redelivered, and dead-lettered in the end."""

    policy: Policy
    """Its limits."""

    trials: Callable[[In], tuple[str, int]]
    """Returns a batch's model and its number of trials, for metrics."""

    def attributes(self, batch: In) -> dict[str, str | int]:
        """Return the span attributes of a batch."""
        header, (model, trials) = batch.header, self.trials(batch)
        return {
            "stage": self.name,
            "run": header.run,
            "model": model,
            "task": header.task,
            "attack": header.attack,
            "trials": trials,
        }
