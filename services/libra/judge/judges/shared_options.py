"""Options and reasons that several judges share."""

from __future__ import annotations

from libra.judge.judge_result import JudgeResult, cannot_tell
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.options import JudgeOption

SENSITIVE, INSENSITIVE = "sensitive", "insensitive"

CORRECT, WRONG = "correct", "wrong"
"""Labels of the judges that compare an answer with the right one."""

UNREAD = "unread"
"""Label of an answer in which no answer of the wanted kind is found. It scores 0; a cascade may ask a judge model."""

CASE = JudgeOption(
    "case",
    "Whether upper and lower case are different.",
    values=(INSENSITIVE, SENSITIVE),
    default=INSENSITIVE,
)


def field_option(content: str) -> JudgeOption:
    """Return the option that names the field with this content."""
    return JudgeOption("field", f"The field of the sample that holds {content}.", required=True)


def missing_field(field: str) -> str:
    """Return the reason why a judge cannot tell if the sample lacks a field."""
    return f"the sample has no field {field!r} to compare with"


def no_answer_is_wrong(answer: JudgedAnswer) -> JudgeResult | None:
    """Return the result "wrong" for an empty or filtered answer; None for any other answer."""
    if answer.filtered:
        return JudgeResult(0.0, WRONG, "the provider's filter stopped the answer")
    return None if answer.text else JudgeResult(0.0, WRONG, "the answer is empty")


def not_comparable(field: str, value: str, problem: str) -> JudgeResult:
    """Return that a judge cannot tell, because it cannot compare with the value of a field."""
    if not value.strip():
        return cannot_tell(missing_field(field))
    return cannot_tell(f"the field {field!r} holds {value[:80]!r}, which {problem}")


def comma_separated(value: str) -> tuple[str, ...]:
    """Return the names in a comma-separated option."""
    return tuple(name for part in value.split(",") if (name := part.strip()))
