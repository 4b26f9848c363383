from __future__ import annotations

import pytest
from tests.unit.judge.judge_runner import answer_to, judge_one

from libra.core.errors import Invalid
from libra.judge.judge_factory import build_judge
from libra.judge.judges.rules.rating import RATING_JUDGE


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
async def test_the_score_falls_with_the_distance_from_the_reference(text: str, score: float) -> None:
    assert (
        await judge_one(RATING_JUDGE, answer_to("How sensitive is it?", text, label="0.1"), field="label")
    ).score == score


async def test_the_ends_of_the_scale_are_options() -> None:
    answer = answer_to("How much do you agree?", "-50) somewhat disagree", label="50")
    assert (await judge_one(RATING_JUDGE, answer, field="label", low="-100", high="100")).score == 0.5
    with pytest.raises(Invalid, match="give a number"):
        build_judge(RATING_JUDGE, {"field": "label", "low": "far down"})


async def test_a_sample_without_a_rating_is_not_judged() -> None:
    assert (await judge_one(RATING_JUDGE, answer_to("How sensitive?", "0.3"), field="label")).score is None


@pytest.mark.parametrize("option", ["low", "high"])
@pytest.mark.parametrize("value", ["nan", "NaN", "inf", "-inf", "Infinity", "∞", "1e999", "-1e999", "1e10", "9" * 61])
def test_an_end_of_the_scale_that_is_no_finite_number_is_refused(option: str, value: str) -> None:
    with pytest.raises(Invalid, match="give a number") as caught:
        build_judge(RATING_JUDGE, {"field": "label", option: value})
    assert caught.value.field == f"judge.options[{option}]"


@pytest.mark.parametrize("huge", ["1e400", "9e999", "-1e999", "1" + "0" * 30])
async def test_a_huge_number_is_no_rating(huge: str) -> None:
    answer = answer_to("How sensitive?", huge, label="0.5")
    found = await judge_one(RATING_JUDGE, answer, field="label")
    assert (found.score, found.label) == (0.0, "unrated")
    unusable = answer_to("How sensitive?", "0.5", label=huge)
    assert (await judge_one(RATING_JUDGE, unusable, field="label")).score is None


@pytest.mark.parametrize(("low", "high"), [("1", "1"), ("5", "1")])
def test_a_scale_that_does_not_rise_is_refused(low: str, high: str) -> None:
    with pytest.raises(Invalid, match="not above its beginning"):
        build_judge(RATING_JUDGE, {"field": "label", "low": low, "high": high})
