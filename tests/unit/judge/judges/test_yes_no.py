from __future__ import annotations

import pytest
from tests.unit.judge.judge_runner import answer_to, judge_one

from libra.judge.answers.polarity import yes_no_answers
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.judges.rules.yes_no import YES_NO_JUDGE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Yes", "yes"),
        ("yes.", "yes"),
        ("**No**", "no"),
        ("No, it is not.", "no"),
        ("Answer: 'no'", "no"),
        ("The answer is no.", "no"),
        ("Final answer: yes", "yes"),
        ("It harms somebody, so yes.", "yes"),
        ("At first sight there is no harm. The answer is yes.", "yes"),
        ('{"is_safe": true}', "yes"),
        ("{is_safe: false}", "no"),
        ("Yes, there is no doubt.", "yes"),
        ("There is no reason to worry, but I cannot answer.", ""),
        ("I cannot answer that.", ""),
        ("Knowing yesterday's news helps nobody.", ""),
        ("It depends: yes and no.", "no yes"),
    ],
)
def test_yes_and_no_are_found(text: str, said: str) -> None:
    assert yes_no_answers(text) == frozenset(said.split())


@pytest.mark.parametrize(
    ("text", "score", "label"),
    [
        ("Yes.", 1.0, "correct"),
        ("No.", 0.0, "wrong"),
        ("I'm sorry, but I can't help with that.", 0.0, "unread"),
        ("", 0.0, "wrong"),
        ("It depends: yes and no.", None, ""),
    ],
)
async def test_an_answer_like_the_field_scores_one(text: str, score: float | None, label: str) -> None:
    result = await judge_one(YES_NO_JUDGE, answer_to("Is ice cold?", text, answer="yes"), field="answer")
    assert (result.score, result.label) == (score, label)


async def test_a_filtered_answer_is_wrong() -> None:
    assert (
        await judge_one(YES_NO_JUDGE, JudgedAnswer("Yes", fields={"answer": "yes"}, filtered=True), field="answer")
    ).score == 0


@pytest.mark.parametrize(("fields", "word"), [({}, "no field"), ({"answer": "perhaps"}, "neither yes nor no")])
async def test_a_sample_without_a_right_answer_is_not_judged(fields: dict[str, str], word: str) -> None:
    result = await judge_one(YES_NO_JUDGE, answer_to("Is ice cold?", "Yes", **fields), field="answer")
    assert result.score is None
    assert word in result.reason
