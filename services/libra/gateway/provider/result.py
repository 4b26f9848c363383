"""The result of one request to a provider: an answer, or a fault and what may help against it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import NamedTuple

from libra.v1.completion_pb2 import (
    RESPONSE_CLASS_ANSWERED,
    RESPONSE_CLASS_REFUSED,
    Adjustment,
    FinishReason,
    ResponseClass,
)

ADJUSTED = "adjusted"
"""The label of the metrics for a request that is repeated without what the endpoint refused."""


class FaultKind(StrEnum):
    """The consequence of a fault for the next request. The value is a label of the metrics."""

    FINAL = "refused"
    """The same request would fail again."""

    PASSING = "failed"
    """The provider or the connection to it failed; it may recover soon."""

    SLOW_DOWN = "slow_down"
    """The provider accepts no more requests for now; it has not worked on this one."""

    UNREADABLE = "unreadable"
    """The provider answered with something else than an answer; it may be a passing fault of a proxy, so the request is
    made twice at most."""

    TIMEOUT = "timeout"
    """The answer did not arrive in time."""


class BlockCause(StrEnum):
    """Cause that keeps all requests to a model from being answered. The value is a label of the metrics."""

    UNREACHABLE = auto()
    """Nobody listens at the URL, or its name cannot be resolved."""

    KEY = auto()
    """The API key is missing or is not accepted."""

    QUOTA = auto()
    """The account has nothing left to spend, or its quota of the day is used up."""

    WAIT = auto()
    """The provider asked for a longer wait than a request has patience for."""

    CERTIFICATE = auto()
    """No secure connection: the certificate is not trusted, or the endpoint speaks no TLS."""

    CEILING = auto()
    """The model has reached its own ceiling per day. No request was made."""

    UNKNOWN_MODEL = auto()
    """The endpoint knows no such model or URL."""


OUTCOMES = {number: name.removeprefix("RESPONSE_CLASS_").lower() for name, number in ResponseClass.items()} | {
    RESPONSE_CLASS_REFUSED: "refused_by_model"
}
"""The labels of the metrics by class. "refused" is a provider that refuses the request: FaultKind.FINAL."""


class ProviderAnswer(NamedTuple):
    """A model's answer."""

    text: str
    finish_reason: FinishReason.ValueType
    prompt_tokens: int = 0
    """Number by the provider's count; 0 if it does not count."""

    completion_tokens: int = 0
    response_class: ResponseClass.ValueType = RESPONSE_CLASS_ANSWERED
    category: str = ""
    """The provider's own category of a block or refusal."""

    words: str = ""
    """The provider's own words about a block or refusal, shortened and without the API key."""

    is_usage_known: bool = True

    @property
    def outcome(self) -> str:
        """The label of the metrics."""
        return OUTCOMES[self.response_class]


@dataclass(frozen=True, slots=True)
class ProviderFault:
    """Reason why there is no answer: a sentence that contains no API key and names the remedy, if there is one."""

    reason: str
    kind: FaultKind
    retry_after_seconds: float | None = None
    """The wait that the provider asked for, not limited."""

    adjustment: Adjustment | None = None
    """The change to make because the endpoint refuses a parameter; the request is then repeated at once."""

    block: BlockCause | None = None
    """Cause of the failure of other requests to the model too; None if the fault may be that of this request alone."""

    @property
    def outcome(self) -> str:
        """The label of the metrics."""
        return ADJUSTED if self.adjustment else self.kind.value


ProviderResult = ProviderAnswer | ProviderFault
