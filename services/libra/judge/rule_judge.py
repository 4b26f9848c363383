"""A judge that is a rule: it looks at one answer after the other and asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from libra.judge.answer import Answer
from libra.judge.judge_type import Ask
from libra.judge.ruling import Ruling, cannot_tell
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

Given = TypeVar("Given")
Outcome = TypeVar("Outcome")

Rule = Callable[[Answer], Ruling]


@dataclass(frozen=True, slots=True)
class Each:
    """Applies a rule to each answer."""

    rule: Rule

    async def rulings(self, answers: Sequence[Answer], ask: Ask) -> list[Ruling]:  # noqa: ARG002 - a rule asks nobody
        """Return one ruling for each answer, in their order."""
        return [guarded(self.rule, answer) for answer in answers]


def guarded(step: Callable[[Given], Outcome], given: Given) -> Outcome | Ruling:
    """Return what `step` makes of what it is given; a bug in it is logged and costs the one answer it was about."""
    try:
        return step(given)
    except Exception as error:
        log.exception("a judge failed on an answer", action=Action.JUDGE_FAILED)
        return cannot_tell(f"the judge failed with {type(error).__name__}: a bug in it; the log of judge tells more")
