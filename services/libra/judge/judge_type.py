"""A kind of judge, as the catalogue holds it, and a judge that has been told what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from libra.judge.answer import Answer, Turn
from libra.judge.options import Option
from libra.judge.ruling import Ruling


@dataclass(frozen=True, slots=True)
class Reply:
    """What a judge model said, or why it said nothing."""

    text: str
    error: str = ""


class Ask(Protocol):
    """A way to put questions to a judge model."""

    async def __call__(
        self, model: str, conversations: Sequence[Sequence[Turn]], *, json_schema: str, epoch: int
    ) -> list[Reply]:
        """Return a reply to each conversation, in their order.

        The same question is asked once for each `epoch`. Raises libra.errors.Unavailable if nobody can be asked now.
        """
        ...


class Judging(Protocol):
    """A judge that has been told what it needs."""

    async def rulings(self, answers: Sequence[Answer], ask: Ask) -> list[Ruling]:
        """Return one ruling for each answer, in their order. An answer that makes trouble costs its neighbours nothing."""
        ...


def no_parts(_: Mapping[str, str]) -> tuple[JudgeType, ...]:
    """Say that a judge is made of no others."""
    return ()


def nobody(_: Mapping[str, str]) -> tuple[str, ...]:
    """Say that a judge asks no model."""
    return ()


@dataclass(frozen=True, slots=True)
class JudgeType:
    """A way of turning answers into rulings."""

    name: str

    version: str
    """Raised whenever its code changes what it says."""

    description: str
    """What it decides, what an empty answer and a filtered one come to, and when it cannot tell."""

    options: tuple[Option, ...]
    labels: tuple[str, ...]

    build: Callable[[Mapping[str, str]], Judging]
    """Takes the value of every option, checked, and returns a judge."""

    asked: Callable[[Mapping[str, str]], tuple[str, ...]] = nobody
    """The models that it asks when it is told this, which is sound."""

    parts: Callable[[Mapping[str, str]], tuple[JudgeType, ...]] = no_parts
    """The other judges that it puts to use when it is told this, sound or not: it says something else when one of them does."""

    @property
    def asks_model(self) -> bool:
        """Whether there is any that it may ask."""
        return self.asked is not nobody
