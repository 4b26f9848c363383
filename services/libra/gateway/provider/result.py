"""The result of one request to a provider: an answer, or a fault and what may help against it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from libra.v1.completion_pb2 import FINISH_REASON_CONTENT_FILTER, FinishReason


class FaultKind(StrEnum):
    """What a fault means for the next request. The value is a label of the metrics."""

    FINAL = "refused"
    """The same request would fail again."""

    PASSING = "failed"
    """The provider or the connection to it failed; it may recover soon."""

    SLOW_DOWN = "slow_down"
    """The provider accepts no more requests for now; it has not worked on this one."""

    TIMEOUT = "timeout"
    """The answer did not arrive in time."""


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """A model's answer."""

    text: str
    finish_reason: FinishReason.ValueType
    prompt_tokens: int = 0
    """As the provider counts; 0 if it does not count."""

    completion_tokens: int = 0

    @property
    def outcome(self) -> str:
        """The label of the metrics."""
        return "filtered" if self.finish_reason == FINISH_REASON_CONTENT_FILTER else "answered"


@dataclass(frozen=True, slots=True)
class ProviderFault:
    """Why there is no answer: a sentence that contains no API key and names the remedy, if there is one."""

    reason: str
    kind: FaultKind
    retry_after_seconds: float | None = None
    """The wait that the provider asked for, not limited."""

    @property
    def outcome(self) -> str:
        """The label of the metrics."""
        return self.kind.value


ProviderResult = ProviderAnswer | ProviderFault
