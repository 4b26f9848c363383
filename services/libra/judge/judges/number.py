"""`number`: is the number that the answer gives the right one?"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from libra.judge.answer import Answer
from libra.judge.judge_type import JudgeType
from libra.judge.judges.shared_options import field, missing
from libra.judge.options import Option
from libra.judge.rule_judge import Each
from libra.judge.ruling import Ruling, cannot_tell
from libra.judge.text.number_extraction import given
from libra.judge.text.number_parsing import only, same, tolerance

CORRECT, WRONG = "correct", "wrong"


def fault(told: str) -> str:
    """Return what is wrong with a tolerance; empty if nothing is."""
    try:
        tolerance(told, Fraction(1))
    except (ValueError, ZeroDivisionError):
        return f'is {told!r}; give a number that is not negative, as "0.01", or a percentage, as "1%"'
    return ""


TOLERANCE = Option(
    "tolerance",
    'How far off the answer may be: "0.01" in the number\'s own unit, or "1%" of the number. Only what rounding loses if not given.',
    default="0",
    fault=fault,
)


def rule(answer: Answer, field_name: str, told: str) -> Ruling:
    """Score 1 if the number that the answer gives is the one of the field."""
    held = answer.fields.get(field_name, "")
    if not held.strip():
        return cannot_tell(missing(field_name))
    wanted = only(held)
    if wanted is None:
        return cannot_tell(f"the field {field_name!r} holds {held[:80]!r}, which is not one number")
    if answer.filtered or not answer.text:
        return Ruling(
            0.0, WRONG, "the provider's filter stopped the answer" if answer.filtered else "the answer is empty"
        )
    number = given(answer.text)
    if number is None:
        return Ruling(0.0, WRONG, "the answer has no number")
    right = same(number, wanted, tolerance(told, wanted.value))
    return Ruling(float(right), CORRECT if right else WRONG, f"the answer gives {shown(number.value)}")


def shown(value: Fraction) -> str:
    """Return a number for people, at most some 20 characters long."""
    if value.denominator == 1 and abs(value) < 10**15:
        return str(value.numerator)
    try:
        return f"{float(value):.10g}"
    except OverflowError:
        return "a number beyond measure"


def _build(options: Mapping[str, str]) -> Each:
    name, told = options["field"], options["tolerance"]
    return Each(lambda answer: rule(answer, name, told))


NUMBER = JudgeType(
    name="number",
    version="1",
    description=(
        "Scores 1 if the number that the answer gives in the end is the one that a field of the sample holds. It reads thousands "
        "separators, decimals, fractions, percentages, powers of ten and units. An answer without a number, an empty and a "
        "filtered one score 0."
    ),
    options=(field("the number that is right"), TOLERANCE),
    labels=(CORRECT, WRONG),
    build=_build,
)
