"""A request to a model, independent of its provider: all that shapes the answer, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model

DEFAULT_MAX_TOKENS = 512
DEFAULT_TIMEOUT_SECONDS = 120.0

BYTES_PER_TOKEN = 3
"""Low on purpose (English has 4 to 5): the estimate reserves tokens until the provider has counted them."""

TOKENS_PER_TURN = 8
"""The most that a chat template adds to a turn."""


class InvalidSchema(ValueError):
    """The request's json_schema is not a JSON object, so no provider can follow it."""


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One request to one model."""

    model: Model
    parameters: GenerationParameters
    messages: tuple[Message, ...]
    epoch: int = 0
    fresh_for: str = ""
    """If not empty, the answer is shared only with requests that have the same value."""

    @property
    def max_tokens(self) -> int:
        """Maximum number of tokens in the answer."""
        return self.parameters.max_tokens or DEFAULT_MAX_TOKENS

    @property
    def remote_model(self) -> str:
        """The endpoint's name for the model."""
        return self.model.remote_model or self.model.name

    def prompt_tokens(self) -> int:
        """Return an estimate of the prompt's tokens that is rather too high."""
        size = sum(len(message.content.encode()) for message in self.messages)
        return size // BYTES_PER_TOKEN + TOKENS_PER_TURN * len(self.messages)


def timeout_seconds(model: Model) -> float:
    """Return how long one request to the model may take, from its start to the last byte of the answer."""
    return model.limits.timeout_seconds or DEFAULT_TIMEOUT_SECONDS


def turns(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Return the turns to send. The records' format has an empty system turn where there is none: it is left out."""
    return tuple(message for message in messages if message.content or message.role != "system")


def problem_of(messages: Iterable[Message]) -> str:
    """Return why no model can answer these messages, or an empty string."""
    sent = turns(messages)
    if not sent:
        return "there is no turn to answer"
    for position, message in enumerate(sent):
        if message.role not in ("system", "user", "assistant"):
            return f"turn {position} has the role {message.role!r}; the roles are system, user and assistant"
    if sent[-1].role != "user":
        return f"the last turn has the role {sent[-1].role!r}; a model answers a user"
    return ""


def parsed_schema(text: str) -> dict[str, Any]:
    """Return a json_schema parameter as an object. Raises InvalidSchema."""
    try:
        schema = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidSchema(f"json_schema is not JSON: {error}") from None
    if not isinstance(schema, dict):
        raise InvalidSchema("json_schema is not a JSON object")
    return schema
