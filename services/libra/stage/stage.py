"""What a stage is: a name, what it reads, and what it does with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from libra.stage.bus import Outgoing
from libra.stage.policy import Policy
from libra.v1.batch_pb2 import BatchHeader


class Batch(Protocol):
    """What every batch has, whatever it carries."""

    @property
    def header(self) -> BatchHeader:
        """What its trials have in common."""
        ...


In = TypeVar("In", bound=Batch)


@dataclass(frozen=True, slots=True)
class Stage(Generic[In]):
    """A stage of the pipeline, without its transport."""

    name: str
    """As in `dead.<name>` and in the metrics."""

    decode: Callable[[bytes], In]
    """Whatever it raises sets the message aside: it will not be decoded the next time either."""

    handle: Callable[[In], Awaitable[Sequence[Outgoing]]]
    """Return what is to be sent on. It may be called again with the same batch, at any time, and must not mind.

    Raise Retry (try the message again later), Reject (set it aside), or let `libra.errors.Unavailable` pass: what it needs is
    away, and is waited for. Anything else is a bug: the message is tried again, and set aside in the end.
    """

    policy: Policy
    """The limits it runs under."""

    trials: Callable[[In], tuple[str, int]]
    """Return the model of a batch and how many trials it carries, for the metrics."""

    def attributes(self, batch: In) -> dict[str, str | int]:
        """Return what a span says of the batch."""
        header, (model, trials) = batch.header, self.trials(batch)
        return {
            "stage": self.name,
            "run": header.run,
            "model": model,
            "task": header.task,
            "attack": header.attack,
            "trials": trials,
        }
