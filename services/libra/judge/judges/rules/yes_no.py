"""The judge `yes_no`: does the answer say yes or no, as the reference does?"""

from __future__ import annotations

from collections.abc import Mapping

from libra.judge.answers.polarity import NO, YES, yes_no_answers
from libra.judge.judge_result import JudgeResult, cannot_tell
from libra.judge.judge_type import JudgeType
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.judges.rule_judge import RuleJudge
from libra.judge.judges.shared_options import CORRECT, UNREAD, WRONG, field_option, no_answer_is_wrong, not_comparable


def judge_yes_no(answer: JudgedAnswer, field: str) -> JudgeResult:
    """Score 1 if the answer says the same as the field of the sample."""
    reference = answer.fields.get(field, "")
    right = yes_no_answers(reference)
    if len(right) != 1:
        return not_comparable(field, reference, "is neither yes nor no")
    if no_answer := no_answer_is_wrong(answer):
        return no_answer
    found = yes_no_answers(answer.text, answer.last_user_message())
    if not found:
        return JudgeResult(0.0, UNREAD, "it says neither yes nor no")
    if len(found) > 1:
        return cannot_tell(f"the answer says both {YES} and {NO}")
    return JudgeResult(float(found == right), CORRECT if found == right else WRONG, f"it says {next(iter(found))}")


def _build(options: Mapping[str, str]) -> RuleJudge:
    return RuleJudge(lambda answer: judge_yes_no(answer, options["field"]))


YES_NO_JUDGE = JudgeType(
    name="yes_no",
    version="2",
    description=(
        "Scores 1 if the answer says yes or no (or true or false) as a sample's field does. It reads idioms in 21 "
        "languages, and statements that repeat the question. An answer that says neither scores 0 with the label "
        "`unread`; an empty or filtered one is wrong. It cannot tell if the answer says both."
    ),
    options=(field_option("the right answer: yes or no"),),
    labels=(CORRECT, WRONG, UNREAD),
    build=_build,
)
