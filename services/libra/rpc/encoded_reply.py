"""A reply that is serialised once and sent many times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from google.protobuf.message import Message

Reply = TypeVar("Reply", bound=Message)


@dataclass(frozen=True, slots=True)
class EncodedReply(Generic[Reply]):
    """A message with its bytes: a handler returns it in place of the message, and `RpcServer` sends the bytes."""

    message: Reply
    data: bytes

    @classmethod
    def of(cls, message: Reply) -> Self:
        """Return the message with its bytes. The message must not be changed afterwards."""
        return cls(message, message.SerializeToString())
