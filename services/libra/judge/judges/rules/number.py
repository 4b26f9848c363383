"""The judge `number`: does the answer give the right number?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from libra.judge.answers.expressions.parsing import Node
from libra.judge.answers.expressions.reading import expression_value, gives_expression, is_expression, wanted_expression
from libra.judge.answers.numbers.parsing import parse_tolerance
from libra.judge.answers.numbers.reading import final_numbers, same_numbers, wanted_numbers
from libra.judge.judge_result import JudgeResult
from libra.judge.judge_type import JudgeType
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.judges.rule_judge import RuleJudge
from libra.judge.judges.shared_options import CORRECT, UNREAD, WRONG, field_option, no_answer_is_wrong, not_comparable
from libra.judge.options import JudgeOption


def _tolerance_error(value: str) -> str:
    try:
        parse_tolerance(value, Fraction(1))
    except (ValueError, ZeroDivisionError):
        return f'is {value!r}; give a number that is not negative, as "0.01", or a percentage, as "1%"'
    return ""


IRRATIONAL = re.compile(r"\\sqrt|√|π|\\pi|\^\{?[\d(]*/|\^\{?\\[dt]?frac|\\log|\\ln|!")
"""Signs of an expression whose value is no number in digits."""

ROUNDING = Fraction(1, 10**9)

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
    expression = wanted_expression(reference) if is_expression(reference) else None
    wanted = () if expression else wanted_numbers(reference)
    expression = expression if wanted or expression else wanted_expression(reference)
    if not wanted and expression is None:
        return not_comparable(field, reference, "is not one number, nor several, nor an expression")
    if no_answer := no_answer_is_wrong(answer):
        return no_answer
    if expression is not None:
        return _judge_expression(answer.text, expression)
    given = final_numbers(answer.text, answer.last_user_message())
    tolerances = [parse_tolerance(tolerance, one.value) for one in wanted]
    is_right = same_numbers(given, wanted, tolerances)
    if not is_right and len(wanted) == 1 and IRRATIONAL.search(answer.text):
        is_right = _has_value(answer.text, wanted[0].value, tolerances[0])
        given = wanted if is_right else given
    if not given:
        return JudgeResult(0.0, UNREAD, "the answer gives no number")
    reason = f"the answer gives {' and '.join(shown(one.value) for one in given)}"
    return JudgeResult(float(is_right), CORRECT if is_right else WRONG, reason)


def _judge_expression(text: str, wanted: Node) -> JudgeResult:
    is_right = gives_expression(text, wanted)
    if is_right is None:
        return JudgeResult(0.0, UNREAD, "the answer gives no expression")
    reason = f"the expression that the answer gives is {'' if is_right else 'not '}equal to the right one"
    return JudgeResult(float(is_right), CORRECT if is_right else WRONG, reason)


def _has_value(text: str, wanted: Fraction, tolerance: Fraction) -> bool:
    """Tell whether an answer ends with an expression, such as 2√3/3, that has the wanted value."""
    value = expression_value(text)
    return value is not None and abs(Fraction(value) - wanted) <= max(tolerance, ROUNDING * abs(wanted))


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
    version="3",
    description=(
        "Scores 1 if the final number of the answer is the number in a sample's field. It reads separators, fractions, "
        "percentages, powers, units, scripts and number words of many languages. Several numbers, an interval or a "
        "bound are wrong, unless the field has the same several numbers. If the field holds an expression, as "
        "\\frac{\\pi}{4} or x^2 + 1, the expression of the answer must be equal to it. An answer without "
        "a number scores 0 with the "
        "label `unread`; an empty or filtered one is wrong."
    ),
    options=(field_option("the right number"), TOLERANCE),
    labels=(CORRECT, WRONG, UNREAD),
    build=_build,
)
