"""`rating`: how near is the number on a scale that the answer gives to the one that people gave?"""

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
from libra.judge.text.number_parsing import Number, numbers, only, shaped

RATED, UNRATED = "rated", "unrated"


def fault(told: str) -> str:
    """Return what is wrong with an end of a scale; empty if nothing is."""
    return "" if only(told) else f"is {told!r}; give a number"


LOW = Option("low", "The lowest rating of the scale.", default="0", fault=fault)
HIGH = Option("high", "The highest rating of the scale.", default="1", fault=fault)


def rule(answer: Answer, field_name: str, low: Fraction, high: Fraction) -> Ruling:
    """Score 1 less the distance between both ratings, as a share of the scale."""
    held = answer.fields.get(field_name, "")
    wanted = only(held)
    if wanted is None:
        return cannot_tell(missing(field_name) if not held.strip() else f"the field {field_name!r} holds no number")
    number = None if answer.filtered or not answer.text else first(answer.text)
    if number is None:
        return Ruling(0.0, UNRATED, "the answer gives no rating")
    if not low <= number.value <= high:
        return Ruling(0.0, UNRATED, f"the answer gives {float(number.value):g}, which is not on the scale")
    score = 1 - abs(number.value - wanted.value) / (high - low)
    return Ruling(
        float(max(score, Fraction(0))),
        RATED,
        f"the answer gives {float(number.value):g}, people {float(wanted.value):g}",
    )


def first(text: str) -> Number | None:
    """Return the number that a text begins with, as "0.5) neutral" does; else the one that it gives as its answer."""
    whole = shaped(text)
    found = numbers(whole[:200])
    bare = whole.lstrip(" *_`\"'(")
    if found and found[0].start <= len(whole) - len(bare):
        return found[0]
    return given(text)


def _build(options: Mapping[str, str]) -> Each:
    name, low, high = options["field"], _value(options["low"]), _value(options["high"])
    return Each(lambda answer: rule(answer, name, low, high))


def _value(told: str) -> Fraction:
    number = only(told)
    return number.value if number else Fraction(0)


RATING = JudgeType(
    name="rating",
    version="1",
    description=(
        "Scores 1 less the distance between the rating that the answer gives and the one that a field of the sample holds, as a "
        "share of the scale. An answer without a rating on the scale scores 0, as an empty and a filtered one do."
    ),
    options=(field("the rating that people gave"), LOW, HIGH),
    labels=(RATED, UNRATED),
    build=_build,
)
