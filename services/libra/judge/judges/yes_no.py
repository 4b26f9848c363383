"""`yes_no`: does the answer say yes where that is right, and no where that is?"""

from __future__ import annotations

from collections.abc import Mapping

from libra.judge.answer import Answer
from libra.judge.judge_type import JudgeType
from libra.judge.judges.shared_options import field, missing
from libra.judge.rule_judge import Each
from libra.judge.ruling import Ruling, cannot_tell
from libra.judge.text.yes_no import NO, YES, says

CORRECT, WRONG = "correct", "wrong"


def rule(answer: Answer, field_name: str) -> Ruling:
    """Score 1 if the answer says what the field of the sample does."""
    held = answer.fields.get(field_name, "")
    if not held.strip():
        return cannot_tell(missing(field_name))
    right = says(held)
    if len(right) != 1:
        return cannot_tell(f"the field {field_name!r} holds {held[:80]!r}, which is neither yes nor no")
    if answer.filtered or not answer.text:
        return Ruling(
            0.0, WRONG, "the provider's filter stopped the answer" if answer.filtered else "the answer is empty"
        )
    said = says(answer.text)
    if not said:
        return Ruling(0.0, WRONG, "it says neither yes nor no")
    if len(said) > 1:
        return cannot_tell(f"the answer says both {YES} and {NO}")
    return Ruling(float(said == right), CORRECT if said == right else WRONG, f"it says {next(iter(said))}")


def _build(options: Mapping[str, str]) -> Each:
    name = options["field"]
    return Each(lambda answer: rule(answer, name))


YES_NO = JudgeType(
    name="yes_no",
    version="1",
    description=(
        "Scores 1 if the answer says yes or no (or true or false) as a field of the sample does. One that says neither is wrong, "
        "as an empty or filtered one is; of one that says both it cannot tell. It reads English."
    ),
    options=(field("the right answer: yes or no"),),
    labels=(CORRECT, WRONG),
    build=_build,
)
