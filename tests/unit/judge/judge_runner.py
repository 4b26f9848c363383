"""Apply one judge to one answer."""

from __future__ import annotations

from collections.abc import Sequence

from libra.judge.answer import Answer, Turn
from libra.judge.judge_factory import build_judge
from libra.judge.judge_type import JudgeType, Reply
from libra.judge.ruling import Ruling


async def nobody(model: str, conversations: Sequence[Sequence[Turn]], *, json_schema: str, epoch: int) -> list[Reply]:
    """Stand where a judge model would be asked: a rule asks none."""
    raise AssertionError(f"{model} was asked {len(conversations)} questions, epoch {epoch}, {json_schema}")


async def ruled(kind: JudgeType, answer: Answer, **options: str) -> Ruling:
    """Return what the judge says of the answer."""
    (ruling,) = await build_judge(kind, options).judging.rulings([answer], nobody)
    return ruling


def asked(prompt: str, text: str, **fields: str) -> Answer:
    """Return an answer to a prompt."""
    return Answer(text, turns=(Turn("user", prompt),), fields=fields)
