"""The judge `number`: does the answer give the right number?"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from libra.judge.judge_result import JudgeResult
from libra.judge.judge_type import JudgeType
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.judges.rule_judge import RuleJudge
from libra.judge.judges.shared_options import CORRECT, WRONG, field_option, no_answer_is_wrong, not_comparable
from libra.judge.options import JudgeOption
from libra.judge.text.number_extraction import final_number
from libra.judge.text.number_parsing import numbers_agree, parse_single_number, parse_tolerance


def _tolerance_error(value: str) -> str:
    try:
        parse_tolerance(value, Fraction(1))
    except (ValueError, ZeroDivisionError):
        return f'is {value!r}; give a number that is not negative, as "0.01", or a percentage, as "1%"'
    return ""


TOLERANCE = JudgeOption(
    "tolerance",
    'The largest accepted difference: "0.01" in the unit of the number, or "1%" of it. If not given, only '
    "rounding is accepted.",
    default="0",
    validate=_tolerance_error,
)


def judge_number(answer: JudgedAnswer, field: str, tolerance: str) -> JudgeResult:
    """Score 1 if the final number of the answer is the number of the field."""
    reference = answer.fields.get(field, "")
    wanted = parse_single_number(reference)
    if wanted is None:
        return not_comparable(field, reference, "is not one number")
    if no_answer := no_answer_is_wrong(answer):
        return no_answer
    number = final_number(answer.text)
    if number is None:
        return JudgeResult(0.0, WRONG, "the answer has no number")
    is_right = numbers_agree(number, wanted, parse_tolerance(tolerance, wanted.value))
    return JudgeResult(float(is_right), CORRECT if is_right else WRONG, f"the answer gives {shown(number.value)}")


def shown(value: Fraction) -> str:
    """Return a number as text of at most about 20 characters."""
    if value.denominator == 1 and abs(value) < 10**15:
        return str(value.numerator)
    try:
        return f"{float(value):.10g}"
    except OverflowError:
        return "a number that is too large to show"


def _build(options: Mapping[str, str]) -> RuleJudge:
    return RuleJudge(lambda answer: judge_number(answer, options["field"], options["tolerance"]))


NUMBER_JUDGE = JudgeType(
    name="number",
    version="1",
    description=(
        "Scores 1 if the final number of the answer is the number in a sample's field. It reads thousands separators, "
        "decimals, fractions, percentages, powers of ten and units. An answer without a number scores 0, and so does "
        "an empty or filtered one."
    ),
    options=(field_option("the right number"), TOLERANCE),
    labels=(CORRECT, WRONG),
    build=_build,
)
