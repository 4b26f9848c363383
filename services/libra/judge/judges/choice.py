"""`choice`: does the answer to a multiple-choice question name the right option?"""

from __future__ import annotations

from collections.abc import Mapping

from libra.judge.answer import Answer
from libra.judge.judge_type import JudgeType
from libra.judge.judges.shared_options import field, missing
from libra.judge.rule_judge import Each
from libra.judge.ruling import Ruling, cannot_tell
from libra.judge.text.choice_extraction import chosen, label_of, options

CORRECT, WRONG = "correct", "wrong"


def rule(answer: Answer, field_name: str) -> Ruling:
    """Score 1 if the one option that the answer names is the right one."""
    held = answer.fields.get(field_name, "")
    if not held.strip():
        return cannot_tell(missing(field_name))
    listed = options(answer.question())
    right = label_of(held, listed)
    if not right:
        return cannot_tell(f"the field {field_name!r} holds {held[:80]!r}, which is no option of the question")
    if answer.filtered or not answer.text:
        return Ruling(
            0.0, WRONG, "the provider's filter stopped the answer" if answer.filtered else "the answer is empty"
        )
    choice = chosen(answer.text, listed)
    if not choice.labels:
        return Ruling(0.0, WRONG, "it names no option")
    if len(choice.labels) > 1:
        return Ruling(0.0, WRONG, f"it names {' and '.join(sorted(choice.labels))}")
    (named,) = choice.labels
    return Ruling(float(named == right), CORRECT if named == right else WRONG, f"it names {named}: {choice.how}")


def _build(options_given: Mapping[str, str]) -> Each:
    name = options_given["field"]
    return Each(lambda answer: rule(answer, name))


CHOICE = JudgeType(
    name="choice",
    version="2",
    description=(
        "Scores 1 if the answer names the right option of a multiple-choice question, by its letter or by its text; what it says "
        "in the end counts. One that names none or several is wrong, as an empty or filtered one is."
    ),
    options=(field('the right option: its letter, as "B", or its text'),),
    labels=(CORRECT, WRONG),
    build=_build,
)
