from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.judge.judge_runner import judge_one

from libra.judge.judged_answer import JudgedAnswer
from libra.judge.judges.rules.exact import EXACT_JUDGE


@pytest.mark.parametrize(
    ("text", "reference", "options", "score"),
    [
        ("Paris", "Paris", {}, 1),
        ("paris", "Paris", {}, 1),
        (" Paris.\n", "Paris", {}, 1),
        ('"Paris"', "Paris", {}, 1),
        ("**Paris**", "Paris", {}, 1),
        ("« Paris »", "Paris", {}, 1),
        ("パリ。", "パリ", {}, 1),
        ("Ｐａｒｉｓ", "Paris", {}, 1),
        ("It’s Paris", "It's Paris", {}, 1),
        ("New   York", "New York", {}, 1),
        ("Paris is right", "Paris", {}, 0),
        ("", "Paris", {}, 0),
        ("yes", "yes|yes, it is", {}, 1),
        ("Yes, it is.", "yes|yes, it is", {}, 1),
        ("no", "yes|yes, it is", {}, 0),
        ("a|b", "a|b", {}, 1),
        ("blue", '["red", "blue"]', {}, 1),
        ("paris", "Paris", {"case": "sensitive"}, 0),
        ("Paris", "Paris", {"case": "sensitive"}, 1),
        ("Paris.", "Paris", {"strip": "space"}, 0),
        (" Paris ", "Paris", {"strip": "space"}, 1),
        ("New  York", "New York", {"strip": "nothing"}, 0),
        ("New York", "New York", {"strip": "nothing"}, 1),
        ("...", "...", {}, 1),
        ("!", "?", {}, 0),
    ],
)
async def test_only_the_exact_text_scores_one(text: str, reference: str, options: dict[str, str], score: float) -> None:
    assert (
        await judge_one(EXACT_JUDGE, JudgedAnswer(text, fields={"answer": reference}), field="answer", **options)
    ).score == score


async def test_a_filtered_answer_is_wrong() -> None:
    assert (
        await judge_one(EXACT_JUDGE, JudgedAnswer("Paris", fields={"answer": "Paris"}, filtered=True), field="answer")
    ).score == 0.0


async def test_a_sample_without_the_field_is_not_judged() -> None:
    result = await judge_one(EXACT_JUDGE, JudgedAnswer("Paris", fields={}), field="answer")
    assert result.score is None
    assert "'answer'" in result.reason


@given(st.text(min_size=1).filter(lambda text: text.strip() != ""))
async def test_every_text_equals_itself(text: str) -> None:
    for strip in ("punctuation", "space", "nothing"):
        result = await judge_one(EXACT_JUDGE, JudgedAnswer(text, fields={"answer": text}), field="answer", strip=strip)
        assert result.score == 1.0
