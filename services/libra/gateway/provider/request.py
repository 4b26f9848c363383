"""A request to a model, independent of its provider: all that shapes the answer, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import orjson

from libra.core.parameter_limits import DEFAULT_MAX_TOKENS
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import SYSTEM_ROLE_DEVELOPER, SYSTEM_ROLE_MERGED, Model

DEFAULT_TIMEOUT_SECONDS = 120.0

BYTES_PER_TOKEN = 3
"""Low on purpose (English has 4 to 5): the estimate reserves tokens until the provider has counted them."""

JSON_OBJECT = "json_object"
"""The replacement of a refused schema: any JSON object."""

MERGED = "merged"
"""The replacement of a refused system turn, and of turns of the same role in a row."""

SYSTEM_TURN = "system"
"""The replacement of the refused role "developer"."""

TURN_SEPARATOR = "\n\n"
"""Between the texts of merged turns."""

TOKENS_PER_TURN = 8
"""The most that a chat template adds to a turn."""


class InvalidRequest(ValueError):
    """The request cannot be sent in the form of its API; the message says why and what to change."""


class InvalidSchema(InvalidRequest):
    """The request's json_schema is not a JSON object, so no provider can follow it."""


@dataclass(slots=True)
class CompletionRequest:
    """One request to one model. It is not changed; one that Python keeps from changes takes thrice as long to make."""

    model: Model
    parameters: GenerationParameters
    messages: tuple[Message, ...]
    epoch: int = 0
    fresh_for: str = ""
    """If not empty, the answer is shared only with requests that have the same value."""

    adjustments: tuple[tuple[str, str], ...] = ()
    """Changes to the request, in order, because the endpoint refuses a parameter: the parameter, and its replacement
    (empty: dropped). `libra.v1.completion_pb2.Adjustment` lists the parameters. The methods below apply them."""

    team: str = ""
    """The team that asks, with which alone the answer is shared; empty for work on what all teams share."""

    is_plain: bool = field(init=False)
    """Whether the model has no options, and nothing is sent otherwise than asked: nearly every request is plain."""

    def __post_init__(self) -> None:
        self.is_plain = not self.adjustments and not self.model.HasField("options")

    @property
    def max_tokens(self) -> int:
        """Maximum number of tokens in the answer."""
        return self.parameters.max_tokens or DEFAULT_MAX_TOKENS

    @property
    def remote_model(self) -> str:
        """The endpoint's name for the model."""
        return self.model.remote_model or self.model.name

    def sampling(self) -> dict[str, float | int]:
        """Return temperature, top_p, seed and top_k, of those the ones that are set and not refused."""
        parameters = self.parameters
        values = {
            name: getattr(parameters, name) for name in ("temperature", "top_p", "seed") if parameters.HasField(name)
        }
        if self.is_plain:
            return values
        dropped = dict(self.adjustments)
        if self.model.options.top_k:
            values["top_k"] = self.model.options.top_k
        return {name: value for name, value in values.items() if name not in dropped}

    def schema(self) -> dict[str, Any] | None:
        """Return the JSON schema of the answer; None for free text, or if the endpoint takes none.

        Raises InvalidSchema.
        """
        if not self.parameters.json_schema or "json_schema" in dict(self.adjustments):
            return None
        return parsed_schema(self.parameters.json_schema)

    @property
    def is_json_object(self) -> bool:
        """Whether the answer must be a JSON object, for an endpoint that takes no schema."""
        return bool(self.parameters.json_schema) and dict(self.adjustments).get("json_schema") == JSON_OBJECT

    @property
    def stop(self) -> list[str]:
        """Texts that end the answer."""
        return [] if self.is_plain or "stop" in dict(self.adjustments) else list(self.model.options.stop)

    @property
    def reasoning_effort(self) -> str:
        """Amount of reasoning, in the provider's words; empty: not sent."""
        if self.is_plain:
            return self.parameters.reasoning_effort
        if "reasoning_effort" in dict(self.adjustments):
            return ""
        return self.parameters.reasoning_effort or self.model.options.reasoning_effort

    def token_limit_name(self, usual: str) -> str:
        """Return the endpoint's name for the limit on answer tokens; `usual` is the API's."""
        if self.is_plain:
            return usual
        return self.model.options.token_limit_name or dict(self.adjustments).get("max_tokens", "") or usual

    def turns_to_send(self) -> tuple[Message, ...]:
        """Return the turns after the policy for system turns, and with alternating roles if the endpoint wants that.

        A system turn has the role "system" or "developer".
        """
        if self.is_plain:
            return self.messages
        refused = dict(self.adjustments)
        policy, turns = self.model.options.system_role, self.messages
        if policy == SYSTEM_ROLE_MERGED or refused.get("system", SYSTEM_TURN) != SYSTEM_TURN:
            turns = merge_system(turns)
        elif policy == SYSTEM_ROLE_DEVELOPER and "system" not in refused:
            turns = tuple(
                Message(role="developer", content=turn.content) if turn.role == "system" else turn for turn in turns
            )
        return merge_same_roles(turns) if "alternation" in refused else turns

    def prompt_tokens(self) -> int:
        """Return an estimate of the prompt's tokens that is rather too high."""
        size = sum(len(message.content.encode()) for message in self.messages)
        return size // BYTES_PER_TOKEN + TOKENS_PER_TURN * len(self.messages)


def timeout_seconds(model: Model) -> float:
    """Return how long one request to the model may take, from its start to the last byte of the answer."""
    return model.limits.timeout_seconds or DEFAULT_TIMEOUT_SECONDS


def turns(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Return the turns to send. The records' format has an empty system turn where there is none: it is left out."""
    return tuple([message for message in messages if message.role != "system" or message.content])


def merge_system(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the turns with every system turn at the beginning of the next user turn."""
    merged: list[Message] = []
    waiting: list[str] = []
    for message in messages:
        if message.role == "system":
            waiting.append(message.content)
        elif message.role == "user" and waiting:
            merged.append(Message(role="user", content=TURN_SEPARATOR.join([*waiting, message.content])))
            waiting = []
        else:
            merged.append(message)
    return tuple(merged)


def split_system(messages: Sequence[Message]) -> tuple[list[str], tuple[Message, ...]]:
    """Return the system texts at the beginning, and the other turns, for an API that has no role for system turns.

    A later system turn is merged into the next user turn.
    """
    count = next((place for place, turn in enumerate(messages) if turn.role in ("user", "assistant")), len(messages))
    rest = [Message(role="system", content=turn.content) if turn.role == "developer" else turn for turn in messages]
    return [turn.content for turn in messages[:count]], merge_system(rest[count:])


def merge_same_roles(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the turns with neighbours of the same role joined."""
    groups = [list(group) for _, group in groupby(messages, key=lambda message: message.role)]
    return tuple(
        Message(role=group[0].role, content=TURN_SEPARATOR.join(message.content for message in group))
        for group in groups
    )


def problem_of(sent: Sequence[Message], last_role: str = "user") -> str:
    """Return why no model can answer these turns, or an empty string.

    A guard model judges a conversation whose last turn has the role "assistant".
    """
    if not sent:
        return "there is no turn to answer"
    for position, message in enumerate(sent):
        if message.role not in ("system", "user", "assistant"):
            return f"turn {position} has the role {message.role!r}; the roles are system, user and assistant"
    if sent[-1].role != last_role:
        does = "answers a user" if last_role == "user" else "judges an assistant's answer"
        return f"the last turn has the role {sent[-1].role!r}; a model {does}"
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
