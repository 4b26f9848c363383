"""The judge around a rule: it applies the rule to each answer and asks no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from libra.judge.incomplete_answers import settle_incomplete
from libra.judge.judge_result import JudgeResult, cannot_tell
from libra.judge.judge_type import JudgeModelClient
from libra.judge.judged_answer import JudgedAnswer
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

Input = TypeVar("Input")
Output = TypeVar("Output")

Rule = Callable[[JudgedAnswer], JudgeResult]


@dataclass(frozen=True, slots=True)
class RuleJudge:
    """Applies a rule to each answer."""

    rule: Rule

    open_labels: frozenset[str] = frozenset()
    """Labels that the rest of an answer could change, if the answer was cut off."""

    async def judge(
        self,
        answers: Sequence[JudgedAnswer],
        model_client: JudgeModelClient,  # noqa: ARG002 - a rule asks no model
    ) -> list[JudgeResult]:
        """Return one result for each answer, in order."""
        results = [catch_bugs(self.rule, answer) for answer in answers]
        return [
            settle_incomplete(answer, result, self.open_labels) for answer, result in zip(answers, results, strict=True)
        ]


def catch_bugs(step: Callable[[Input], Output], value: Input) -> Output | JudgeResult:
    """Return `step(value)`. If it raises, log the bug and return that the judge cannot tell for this answer."""
    try:
        return step(value)
    except Exception as error:
        log.exception("a judge failed on an answer", action=Action.JUDGE_FAILED)
        return cannot_tell(f"the judge failed with {type(error).__name__}, which is a bug; see the log of judge")
