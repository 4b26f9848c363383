from __future__ import annotations

import pytest
from tests.unit.judge.judge_runner import asked, ruled

from libra.errors import Invalid
from libra.judge.judge_factory import build_judge
from libra.judge.judges.rating import RATING


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("0.3) somewhat sensitive", 0.8),
        ("0.1", 1.0),
        ("**1.0)** not at all", pytest.approx(0.1)),
        ("I would say 0.6", 0.5),
        ("On a scale of 0 to 1: 0", 0.9),
        ("7", 0.0),
        ("It is very sensitive.", 0.0),
        ("", 0.0),
    ],
)
async def test_the_nearer_the_better(text: str, score: float) -> None:
    assert (await ruled(RATING, asked("How sensitive is it?", text, label="0.1"), field="label")).score == score


async def test_a_scale_has_its_own_ends() -> None:
    answer = asked("How much do you agree?", "-50) somewhat disagree", label="50")
    assert (await ruled(RATING, answer, field="label", low="-100", high="100")).score == 0.5
    with pytest.raises(Invalid, match="give a number"):
        build_judge(RATING, {"field": "label", "low": "far down"})


async def test_a_sample_without_a_rating_is_not_judged() -> None:
    assert (await ruled(RATING, asked("How sensitive?", "0.3"), field="label")).score is None
