"""The judge `rating`: how near is the rating that the answer gives to the rating that people gave?"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from libra.core.errors import Invalid
from libra.judge.answers.cleaning import clean_answer
from libra.judge.answers.numbers.parsing import ParsedNumber, parse_numbers
from libra.judge.answers.numbers.reading import final_number, parse_single_number
from libra.judge.judge_result import JudgeResult, cannot_tell
from libra.judge.judge_type import JudgeType
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.judges.rule_judge import RuleJudge
from libra.judge.judges.shared_options import field_option, missing_field
from libra.judge.options import JudgeOption, option_field

RATED, UNRATED = "rated", "unrated"

HEAD_CHARACTERS = 200


MAX_RATING = 10**9
"""The largest end of a scale: a larger one is infinite as a floating-point number, or has lost its decimals."""


def _number_error(value: str) -> str:
    number = parse_single_number(value)
    is_valid = number is not None and abs(number.value) <= MAX_RATING
    return "" if is_valid else f"is {value!r}; give a number up to {MAX_RATING:,}"


LOW = JudgeOption("low", "The lowest rating of the scale.", default="0", validate=_number_error)
HIGH = JudgeOption("high", "The highest rating of the scale.", default="1", validate=_number_error)


def judge_rating(answer: JudgedAnswer, field: str, low: Fraction, high: Fraction) -> JudgeResult:
    """Score 1 minus the distance between both ratings, as a fraction of the scale."""
    reference = answer.fields.get(field, "")
    wanted = parse_single_number(reference)
    if wanted is None:
        return cannot_tell(missing_field(field) if not reference.strip() else f"the field {field!r} holds no number")
    if abs(wanted.value) > MAX_RATING:
        return cannot_tell(f"the field {field!r} holds a number above {MAX_RATING:,}, which no scale has")
    number = None if answer.filtered or not answer.text else leading_or_final_number(answer.text)
    if number is None:
        return JudgeResult(0.0, UNRATED, "the answer gives no rating")
    if not low <= number.value <= high:
        return JudgeResult(0.0, UNRATED, f"the answer gives {_shown(number.value)}, which is not on the scale")
    score = 1 - abs(number.value - wanted.value) / (high - low)
    reason = f"the answer gives {float(number.value):g}, people {float(wanted.value):g}"
    return JudgeResult(float(max(score, Fraction(0))), RATED, reason)


def _shown(value: Fraction) -> str:
    return f"{float(value):g}" if abs(value) <= MAX_RATING else f"a number above {MAX_RATING:,}"


def leading_or_final_number(text: str) -> ParsedNumber | None:
    """Return the number at the start of a text, as in "0.5) neutral"; else the final number of the text."""
    whole = clean_answer(text)
    found = parse_numbers(whole[:HEAD_CHARACTERS])
    bare = whole.lstrip(" *_`\"'(")
    if found and found[0].start <= len(whole) - len(bare):
        return found[0]
    return final_number(text)


def _build(options: Mapping[str, str]) -> RuleJudge:
    low, high = _value(options["low"]), _value(options["high"])
    if low >= high:
        raise Invalid(
            f"the scale of the judge rating ends at {options['high']}, which is not above its beginning at "
            f"{options['low']}",
            field=option_field(HIGH.name),
        )
    return RuleJudge(lambda answer: judge_rating(answer, options["field"], low, high))


def _value(text: str) -> Fraction:
    number = parse_single_number(text)
    return number.value if number else Fraction(0)


RATING_JUDGE = JudgeType(
    name="rating",
    version="2",
    description=(
        "Scores 1 minus the distance between the rating in the answer and the rating in a sample's field, as a "
        "fraction of the scale. An answer without a rating on the scale scores 0, and so does an empty or filtered "
        "one."
    ),
    options=(field_option("the rating that people gave"), LOW, HIGH),
    labels=(RATED, UNRATED),
    build=_build,
)
