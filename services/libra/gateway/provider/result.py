"""What comes back from one request to a provider: an answer, or a fault and what may help against it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from libra.v1.completion_pb2 import FINISH_REASON_CONTENT_FILTER, FinishReason


class Kind(StrEnum):
    """What a fault is good for. The value is a label of the metrics."""

    FINAL = "refused"
    """The same request would fare the same."""

    PASSING = "failed"
    """The provider or the way to it is broken; it may be mended soon."""

    SLOW_DOWN = "slow_down"
    """The provider takes no more requests for now; it has not worked on this one."""

    TIMEOUT = "timeout"
    """The answer did not come in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said."""

    text: str
    finish_reason: FinishReason.ValueType
    prompt_tokens: int = 0
    """As the provider counts; 0 if it does not."""

    completion_tokens: int = 0

    @property
    def outcome(self) -> str:
        """The label of the metrics."""
        return "filtered" if self.finish_reason == FINISH_REASON_CONTENT_FILTER else "answered"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no answer, in a sentence that holds no key and says what to do where something can be done."""

    reason: str
    kind: Kind
    retry_after_seconds: float | None = None
    """What the provider asked for, not capped."""

    @property
    def outcome(self) -> str:
        """The label of the metrics."""
        return self.kind.value


Reply = Answer | Fault
