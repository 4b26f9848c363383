from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.judge.judge_runner import judge_one

from libra.core.errors import Invalid
from libra.judge.answers.numbers.reading import final_number as answered
from libra.judge.answers.numbers.reading import parse_single_number
from libra.judge.judge_factory import build_judge
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.judges.rules.number import NUMBER_JUDGE


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", "42"),
        ("The answer is 42.", "42"),
        ("the answer is 1,234.50 dollars", "1234.5"),
        ("1 234 567", "1234567"),
        ("1\u202f234\u202f567", "1234567"),
        ("1.234.567", "1234567"),
        ("1.234,56", "1234.56"),
        ("12,345", "12345"),
        ("3,5 km", "3.5"),
        (".5", "0.5"),
        ("-5", "-5"),
        ("−5 °C", "-5"),
        ("x = -3", "-3"),
        ("10-5 = 5", "5"),
        ("-$5", "-5"),
        ("$1,200", "1200"),
        ("€ 30", "30"),
        ("3/4", "3/4"),
        ("-1/2", "-1/2"),
        ("1 1/2 cups", "3/2"),
        ("½", "1/2"),
        ("3½", "7/2"),
        ("50%", "50"),
        ("12.5 percent", "12.5"),
        ("3.5 million people", "3500000"),
        ("1.2e5", "120000"),
        ("1.2 × 10^5", "120000"),
        ("6.02 \\times 10^{3}", "6020"),
        ("\\boxed{72}", "72"),
        ("\\boxed{\\frac{3}{4}}", "3/4"),
        ("First 80, then \\boxed{72}. That took 3 steps.", "72"),
        ("twelve", "12"),
        ("Forty-two apples.", "42"),
        ("minus three", "-3"),
        ("It is 12.\nLet me know if you need one more example.", "12"),
        ("The answer is twelve, one more than eleven.", "12"),
        ("٤٢", "42"),
        ("४२", "42"),
        ("４２", "42"),
        ("答案是42。", "42"),
        ("#### 18", "18"),
        ("**Answer:** 17", "17"),
        ("The answer is **17**.", "17"),
        ("The final answer is $18$.", "18"),
        ("The answer is (−2).", "-2"),
        ("There are 3 boxes with 4 apples, so 3 * 4 = 12 apples", "12"),
        ("So the answer is 3 + 4 = 7.", "7"),
        ("First 2+2=4. Then 4*3=12. The answer is 12 apples, since 4 times 3.", "12"),
        ("The sum of 5 and 7 is 12", "12"),
        ("The total is 15 (5 + 10)", "15"),
        ("1. Add 3 and 4\n2. Get 7\n\nSo 7.", "7"),
        ("1. Take 5\n2. Double it to 10", "10"),
        ("A train of 100 m passes. Its length is 100 m and it takes 7 s", "7"),
    ],
)
def test_the_final_number_of_an_answer_is_found(text: str, value: str) -> None:
    number = answered(text)
    assert number is not None
    assert number.value == Fraction(value)


@pytest.mark.parametrize("text", ["", "no idea", "???", "9" * 5000])
def test_a_text_without_a_number_has_no_final_number(text: str) -> None:
    assert answered(text) is None


@pytest.mark.parametrize(
    ("text", "wanted", "tolerance", "score"),
    [
        ("42", "42", "0", 1),
        ("42.0", "42", "0", 1),
        ("41", "42", "0", 0),
        ("41", "42", "1", 1),
        ("3.14", "3.14159", "0", 0),
        ("3.14", "3.14159", "0.01", 1),
        ("3.14", "3.14159", "1%", 1),
        ("-3.1", "-3.14159", "5%", 1),
        ("0.3333333333", "1/3", "0", 1),
        ("0.33", "1/3", "0", 0),
        ("50%", "50", "0", 1),
        ("50%", "0.5", "0", 1),
        ("0.5", "50%", "0", 1),
        ("5%", "50", "0", 0),
        ("1,000", "1000", "0", 1),
        ("12 km", "12 kilometres", "0", 1),
        ("no number", "12", "0", 0),
        ("", "12", "0", 0),
    ],
)
async def test_the_score_is_one_within_the_tolerance(text: str, wanted: str, tolerance: str, score: float) -> None:
    answer = JudgedAnswer(text, fields={"answer": wanted})
    assert (await judge_one(NUMBER_JUDGE, answer, field="answer", tolerance=tolerance)).score == score


async def test_a_filtered_answer_is_wrong() -> None:
    answer = JudgedAnswer("42", fields={"answer": "42"}, filtered=True)
    assert (await judge_one(NUMBER_JUDGE, answer, field="answer")).score == 0.0


@pytest.mark.parametrize(
    ("fields", "word"),
    [({}, "no field 'answer'"), ({"answer": "many"}, "'many'"), ({"answer": "from 1 to 2"}, "not one number")],
)
async def test_a_sample_without_one_number_is_not_judged(fields: dict[str, str], word: str) -> None:
    result = await judge_one(NUMBER_JUDGE, JudgedAnswer("42", fields=fields), field="answer")
    assert result.score is None
    assert word in result.reason


TOLERANCES_THAT_ARE_NO_NUMBERS = [
    *("much", "-1", "1/0", "%", "nan", "NaN%", "-nan", "inf", "-inf", "Infinity", "∞"),
    *("1e999", "1e-999", "1E+100%", "1e999999999", "1e-999999999", "1e9_999_999_999", "9" * 61),
]


@pytest.mark.parametrize("tolerance", ["0", "0.01", "1%", "1/3", " 2 % ", "1e-9", "1e3"])
def test_a_tolerance_is_a_number_or_a_percentage(tolerance: str) -> None:
    build_judge(NUMBER_JUDGE, {"field": "answer", "tolerance": tolerance})


@pytest.mark.parametrize("tolerance", TOLERANCES_THAT_ARE_NO_NUMBERS)
def test_an_invalid_tolerance_is_refused(tolerance: str) -> None:
    with pytest.raises(Invalid, match="'tolerance'") as caught:
        build_judge(NUMBER_JUDGE, {"field": "answer", "tolerance": tolerance})
    assert caught.value.field == "judge.options[tolerance]"


@given(st.integers(-(10**12), 10**12))
def test_every_whole_number_is_read_in_every_form(value: int) -> None:
    for text in (
        str(value),
        f"{value:,}",
        f"The answer is {value:,}.",
        f"{value:_}".replace("_", "\u202f"),
        f"**{value}**",
    ):
        number = answered(text)
        assert number is not None
        assert number.value == value


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=4))
def test_every_decimal_is_read_in_every_form(value: object) -> None:
    for text in (f"{value:f}", f"x = {value:f}", f"It is {value:,f} metres."):
        number = answered(text)
        assert number is not None
        assert number.value == Fraction(str(value))


@given(st.integers(-999, 999), st.integers(1, 999))
def test_every_fraction_is_read_in_every_form(above: int, below: int) -> None:
    for text in (f"\\frac{{{above}}}{{{below}}}", f"{above}/{below}", f"{above} / {below}"):
        number = parse_single_number(text)
        assert number is not None
        assert number.value == Fraction(above, below)


@given(st.text(max_size=300))
def test_any_text_is_read_without_error(text: str) -> None:
    answered(text)
    parse_single_number(text)
