"""Apply one judge to one answer."""

from __future__ import annotations

from collections.abc import Sequence

from libra.judge.judge_factory import build_judge
from libra.judge.judge_result import JudgeResult
from libra.judge.judge_type import (
    DEFAULT_SETTINGS,
    JudgeModelClient,
    JudgeModelReply,
    JudgeModelSettings,
    JudgeType,
)
from libra.judge.judged_answer import ChatMessage, JudgedAnswer


async def no_judge_model(
    model: str,
    conversations: Sequence[Sequence[ChatMessage]],
    *,
    json_schema: str,
    epoch: int,
    settings: JudgeModelSettings = DEFAULT_SETTINGS,
) -> list[JudgeModelReply]:
    """Fail: the judge under test must ask no model."""
    raise AssertionError(f"{model} was sent {len(conversations)} conversations, epoch {epoch}, {json_schema}")


async def judge_one(judge_type: JudgeType, answer: JudgedAnswer, **options: str) -> JudgeResult:
    """Return the result of the judge for the answer."""
    (result,) = await build_judge(judge_type, options).answer_judge.judge([answer], no_judge_model)
    return result


def answer_to(prompt: str, text: str, **fields: str) -> JudgedAnswer:
    """Return an answer to a prompt."""
    return JudgedAnswer(text, messages=(ChatMessage("user", prompt),), fields=fields)


def replying(score: float) -> JudgeModelClient:
    """Return a judge model that gives every answer this score."""

    async def reply(
        model: str,
        conversations: Sequence[Sequence[ChatMessage]],
        *,
        json_schema: str,
        epoch: int,
        settings: JudgeModelSettings = DEFAULT_SETTINGS,
    ) -> list[JudgeModelReply]:
        assert settings.max_tokens
        assert json_schema, f"{model} was asked for free text in epoch {epoch}"
        return [JudgeModelReply(f'{{"reason": "so it is", "score": {score}}}')] * len(conversations)

    return reply
