from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.judge.judge_runner import answer_to, judge_one

from libra.judge.answers.choices.options import listed_options, option_label
from libra.judge.answers.choices.reading import named_options
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.judges.rules.choice import CHOICE_JUDGE

PROMPT = """Please answer the following multiple choice question: What is the smallest country?
A. Nauru is the smallest country.
B. The smallest country is Vatican City.
C. Monaco
D. The United States
Please only provide the letter corresponding to your answer."""
LISTED = listed_options(PROMPT)

NAMES_B = [
    "B",
    "b",
    "B.",
    "(B)",
    "B)",
    "[B]",
    "**B**",
    "`B`",
    " \n B \n",
    "Option B",
    "Answer: B",
    "**Answer:** B",
    "**Answer: B**",
    "B. The smallest country is Vatican City.",
    "B: Vatican City",
    "B, because it has less than one square mile.",
    "**B.** The smallest country is Vatican City.",
    "The answer is B",
    "The answer is B.",
    "The answer is: B",
    "The answer is (b).",
    "The correct answer is **B**.",
    "The correct option is B: Vatican City.",
    "The best answer is B) The smallest country is Vatican City.",
    "The correct answer is:\n\nB. The smallest country is Vatican City.",
    "The answer is option B because it is smaller than Monaco.",
    "I would choose B, since A is wrong.",
    "I'd go with option B.",
    "So, it's B.",
    "B is the correct answer.",
    "Option B is correct.",
    "A is tempting, but B is correct.",
    "The answer is B, not A.",
    "The answer is not A. The answer is B.",
    "$\\boxed{B}$",
    "The final answer is $\\boxed{\\text{B}}$.",
    "The answer is A. Actually, the answer is B.",
    "A. Nauru is the smallest country.\n\nThe answer is B.",
    "At first the answer is A. No, wait. The final answer is B.",
    "A. is the smallest republic\nB. is the smallest state\nThe answer is B.",
    (
        "A. Nauru is the smallest country.\nB. The smallest country is Vatican City.\nC. Monaco\n"
        "D. The United States\n\nAnswer: B"
    ),
    "Let me think step by step. Monaco has two square kilometres.\n\nB",
    "My reasoning is long.\nAnswer:\nB",
    "The smallest country is Vatican City.",
    "the smallest country is vatican city",
    "La respuesta es (B).",
    "La réponse est B.",
    "Die Antwort ist B.",
    "Ответ: B",
    "答案是B。",
    "正确答案：B",
    "答えはBです。",
    "정답은 B입니다.",
]


@pytest.mark.parametrize("text", NAMES_B)
def test_the_named_option_is_found(text: str) -> None:
    assert named_options(text, LISTED).labels == {"B"}


@pytest.mark.parametrize(
    "text",
    [
        "The answer is A or B.",
        "The answer is A and B.",
        "A. Nauru is the smallest country.\nB. The smallest country is Vatican City.",
        "Nauru is the smallest country. The smallest country is Vatican City.",
    ],
)
async def test_an_answer_that_names_two_options_is_wrong(text: str) -> None:
    result = await judge_one(CHOICE_JUDGE, answer_to(PROMPT, text, answer="A"), field="answer")
    assert result.score == 0.0
    assert result.reason == "it names A and B"


@pytest.mark.parametrize(
    "text",
    [
        "I don't know.",
        "A country in Europe has this honour.",
        "The answer is a country in Europe.",
        "None of the above.",
        "I think it depends.",
        "Z",
        "The answer is E.",
        "It contains vitamin C.",
        "Almost all of them are bigger.",
    ],
)
async def test_a_letter_within_a_sentence_names_no_option(text: str) -> None:
    result = await judge_one(CHOICE_JUDGE, answer_to(PROMPT, text, answer="A"), field="answer")
    assert result.score == 0
    assert result.reason == "it names no option"


@pytest.mark.parametrize(
    ("prompt", "listed"),
    [
        ("A. one\nB. two", {"A": "one", "B": "two"}),
        ("(a) one\n(b) two", {"A": "one", "B": "two"}),
        ("1) one\n2) two", {"1": "one", "2": "two"}),
        ("A: one\nB: two", {"A": "one", "B": "two"}),
        ("Example:\nA. red\nB. blue\nAnswer: A\n\nNow:\nA. one\nB. two", {"A": "one", "B": "two"}),
        ("What is two?", {}),
        ("A. only one", {}),
    ],
)
def test_options_are_read_from_the_prompt(prompt: str, listed: dict[str, str]) -> None:
    assert listed_options(prompt) == listed


@pytest.mark.parametrize(
    ("reference", "label"),
    [
        ("B", "B"),
        ("b", "B"),
        ("(B)", "B"),
        ("B.", "B"),
        ("B. Vatican", "B"),
        ("Monaco", "C"),
        ("monaco.", "C"),
        ("Paris", ""),
    ],
)
def test_the_reference_is_a_letter_or_a_text(reference: str, label: str) -> None:
    assert option_label(reference, LISTED) == label


@pytest.mark.parametrize(
    ("text", "filtered", "score"),
    [("B", False, 1.0), ("A", False, 0.0), ("", False, 0.0), ("", True, 0.0), ("B", True, 0.0)],
)
async def test_only_the_right_option_scores_one(text: str, *, filtered: bool, score: float) -> None:
    answer = JudgedAnswer(text, answer_to(PROMPT, "").messages, {"answer": "B"}, filtered)
    assert (await judge_one(CHOICE_JUDGE, answer, field="answer")).score == score


async def test_an_option_within_another_counts_where_it_stands_alone() -> None:
    prompt = "Which?\nA. red\nB. dark red\nC. red wine"
    assert named_options("It is dark red.", listed_options(prompt)).labels == {"B"}
    assert named_options("It is red.", listed_options(prompt)).labels == {"A"}


@pytest.mark.parametrize(
    ("fields", "word"), [({}, "no field 'answer'"), ({"answer": "Paris"}, "no option of the question")]
)
async def test_a_sample_without_a_valid_reference_is_not_judged(fields: dict[str, str], word: str) -> None:
    result = await judge_one(CHOICE_JUDGE, answer_to(PROMPT, "B", **fields), field="answer")
    assert result.score is None
    assert word in result.reason


@given(
    letter=st.sampled_from("ABCD"),
    form=st.sampled_from(
        ["{}", "({})", "**{}**", "{}.", "The answer is {}.", "The correct answer is ({}).", "Answer: {}"]
    ),
)
def test_every_letter_is_read_in_every_form(letter: str, form: str) -> None:
    assert named_options(form.format(letter), LISTED).labels == {letter}


@given(st.text(max_size=400))
def test_any_text_is_read_without_error(text: str) -> None:
    assert named_options(text, LISTED).labels <= set(LISTED)
    assert named_options(text, {}).labels <= set(string.ascii_uppercase)
    listed_options(text)
