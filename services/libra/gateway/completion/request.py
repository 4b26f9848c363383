"""What is asked of a model: all that shapes the answer, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model

DEFAULT_MAX_TOKENS = 512
BYTES_PER_TOKEN = 3
"""Few on purpose (English has 4 to 5): the estimate holds tokens back until the provider has counted them."""

TOKENS_PER_TURN = 8
"""What a chat template wraps around a turn, at most."""


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One request to one model."""

    model: Model
    parameters: GenerationParameters
    messages: tuple[Message, ...]
    epoch: int = 0
    fresh_for: str = ""
    """Not empty: shares no answer with questions that say otherwise here."""

    @property
    def max_tokens(self) -> int:
        """Tokens in the answer, at most."""
        return self.parameters.max_tokens or DEFAULT_MAX_TOKENS

    @property
    def remote_model(self) -> str:
        """What the endpoint calls the model."""
        return self.model.remote_model or self.model.name

    def prompt_tokens(self) -> int:
        """Return an estimate of the prompt's tokens that is rather too high."""
        size = sum(len(message.content.encode()) for message in self.messages)
        return size // BYTES_PER_TOKEN + TOKENS_PER_TURN * len(self.messages)


def turns(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Return the turns to send. A system turn without content means that there is none (the records' format)."""
    return tuple(message for message in messages if message.content or message.role != "system")


def problem_of(messages: Iterable[Message]) -> str:
    """Return why no model can be asked this, or an empty string."""
    said = turns(messages)
    if not said:
        return "there is no turn to answer"
    for place, message in enumerate(said):
        if message.role not in ("system", "user", "assistant"):
            return f"turn {place} is by {message.role!r}; the roles are system, user and assistant"
    if said[-1].role != "user":
        return f"the last turn is by {said[-1].role!r}; a model answers a user"
    return ""
