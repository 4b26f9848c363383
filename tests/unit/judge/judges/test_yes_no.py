from __future__ import annotations

import pytest
from tests.unit.judge.judge_runner import asked, ruled

from libra.judge.answer import Answer
from libra.judge.judges.yes_no import YES_NO
from libra.judge.text.yes_no import says


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
def test_yes_and_no_are_read(text: str, said: str) -> None:
    assert says(text) == frozenset(said.split())


@pytest.mark.parametrize(
    ("text", "score", "label"),
    [
        ("Yes.", 1.0, "correct"),
        ("No.", 0.0, "wrong"),
        ("I'm sorry, but I can't help with that.", 0.0, "wrong"),
        ("", 0.0, "wrong"),
        ("It depends: yes and no.", None, ""),
    ],
)
async def test_what_the_field_says_is_right(text: str, score: float | None, label: str) -> None:
    ruling = await ruled(YES_NO, asked("Is ice cold?", text, answer="yes"), field="answer")
    assert (ruling.score, ruling.label) == (score, label)


async def test_a_filtered_answer_is_wrong() -> None:
    assert (await ruled(YES_NO, Answer("Yes", fields={"answer": "yes"}, filtered=True), field="answer")).score == 0


@pytest.mark.parametrize(("fields", "word"), [({}, "no field"), ({"answer": "perhaps"}, "neither yes nor no")])
async def test_a_sample_without_a_right_answer_is_not_judged(fields: dict[str, str], word: str) -> None:
    ruling = await ruled(YES_NO, asked("Is ice cold?", "Yes", **fields), field="answer")
    assert ruling.score is None
    assert word in ruling.reason
