"""Judge models that are functions: what they say to a question, and what they were asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from libra.judge.answer import Turn
from libra.judge.judge_type import Reply


@dataclass
class JudgeModels:
    """Answers each question by a function of the model and of it, and remembers what was asked."""

    says: Callable[[str, str], Reply]
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(
        self, model: str, conversations: Sequence[Sequence[Turn]], *, json_schema: str, epoch: int
    ) -> list[Reply]:
        assert json.loads(json_schema)["required"] == ["reason", "score"]
        questions = [turns[-1].content for turns in conversations]
        self.asked += [(model, question) for question in questions]
        return [self.says(model, question) for question in questions]


def scored(score: float, reason: str = "because") -> Reply:
    return Reply(json.dumps({"reason": reason, "score": score}))
