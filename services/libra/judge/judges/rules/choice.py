"""The judge `choice`: does the answer to a multiple-choice question name the right option?"""

from __future__ import annotations

from collections.abc import Mapping

from libra.judge.answers.choices.options import listed_options, option_label
from libra.judge.answers.choices.reading import named_options
from libra.judge.judge_result import JudgeResult, cannot_tell
from libra.judge.judge_type import JudgeType
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.judges.rule_judge import RuleJudge
from libra.judge.judges.shared_options import (
    CORRECT,
    UNREAD,
    WRONG,
    field_option,
    missing_field,
    no_answer_is_wrong,
    not_comparable,
)


def judge_choice(answer: JudgedAnswer, field: str) -> JudgeResult:
    """Score 1 if the answer names one option and it is the right one."""
    reference = answer.fields.get(field, "")
    if not reference.strip():
        return cannot_tell(missing_field(field))
    question = answer.last_user_message()
    listed = listed_options(question)
    right = option_label(reference, listed)
    if not right:
        return not_comparable(field, reference, "is no option of the question")
    if no_answer := no_answer_is_wrong(answer):
        return no_answer
    choice = named_options(answer.text, listed, question)
    if not choice.labels:
        return JudgeResult(0.0, UNREAD, "it names no option")
    if len(choice.labels) > 1:
        return JudgeResult(0.0, WRONG, f"it names {' and '.join(sorted(choice.labels))}")
    (named,) = choice.labels
    return JudgeResult(float(named == right), CORRECT if named == right else WRONG, f"it names {named}: {choice.how}")


def _build(options: Mapping[str, str]) -> RuleJudge:
    return RuleJudge(lambda answer: judge_choice(answer, options["field"]))


CHOICE_JUDGE = JudgeType(
    name="choice",
    version="3",
    description=(
        "Scores 1 if the answer names the right option of a multiple-choice question, by its label or by its text; "
        "the final statement counts, corrections and exclusions included. An answer that names several options is "
        "wrong, and so is an empty or filtered one; one that names no option scores 0 with the label `unread`."
    ),
    options=(field_option('the right option: its letter, as "B", or its text'),),
    labels=(CORRECT, WRONG, UNREAD),
    build=_build,
)
