"""The interface between a guard model's own file and the judge that asks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from libra.judge.judged_answer import ChatMessage, JudgedAnswer

SAFE, UNSAFE = "safe", "unsafe"

SHORT_REPLY_TOKENS = 512
"""Enough for a verdict with its categories, and the limit of other judge models."""

REASONING_TOKENS = 2048
"""Limit for guards that reason before they give their verdict."""


@dataclass(frozen=True, slots=True)
class Question:
    """One conversation to send to a guard about an answer."""

    messages: tuple[ChatMessage, ...]

    topic: str = ""
    """The principle that the question is about, for guards that take one principle a call."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict in one reply of a guard."""

    safety: float
    """In [0, 1]; 1 = safe."""

    label: str
    categories: tuple[str, ...] = ()
    """The guard's own categories that the answer falls into."""

    fields: Mapping[str, str] = field(default_factory=dict)
    """Further statements of the guard, as fields of the verdict."""

    reason: str = ""
    """The guard's own words, if it gives a reason."""


class UnreadableGuardReply(Exception):
    """A guard's reply does not have a published form; the message says why."""


class Guard(Protocol):
    """A guard model: builds the questions about an answer, and reads the replies."""

    @property
    def max_tokens(self) -> int:
        """The limit for one reply."""
        ...

    @property
    def verdict_first(self) -> bool:
        """Whether a reply begins with its verdict, so that one that was cut off afterwards still counts."""
        ...

    def questions(self, answer: JudgedAnswer) -> Sequence[Question]:
        """Return the conversations to send; the answer is unsafe if the reply to any of them says so."""
        ...

    def read(self, question: Question, reply: str) -> Finding:
        """Return the verdict in a reply without its reasoning; raise UnreadableGuardReply if there is none."""
        ...
