"""The judge `exact`: is the answer this text and nothing else?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from libra.judge.judge_result import JudgeResult, cannot_tell
from libra.judge.judge_type import JudgeType
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.judges.rule_judge import RuleJudge
from libra.judge.judges.shared_options import CASE, CORRECT, SENSITIVE, WRONG, field_option, missing_field
from libra.judge.options import JudgeOption
from libra.judge.text.leak_search import texts_in_field
from libra.judge.text.normalize import normalize

PUNCTUATION, SPACE, NOTHING = "punctuation", "space", "nothing"

STRIPPED_CHARACTERS = " \t\n\r.,;:!?\"'`*_()[]{}<>…。、，！？：；「」『』（）¿¡"
MAX_SHOWN_CHARACTERS = 80

STRIP = JudgeOption(
    "strip",
    "What is ignored around the text: punctuation, quotes, markup and space; space alone; or nothing.",
    values=(PUNCTUATION, SPACE, NOTHING),
    default=PUNCTUATION,
)


@dataclass(frozen=True, slots=True)
class TextComparison:
    """Compares an answer with the accepted texts of a sample's field."""

    field: str
    case_matters: bool
    strip: str

    def judge(self, answer: JudgedAnswer) -> JudgeResult:
        """Score 1 if the answer is one of the accepted texts."""
        reference = answer.fields.get(self.field, "")
        if not reference.strip():
            return cannot_tell(missing_field(self.field))
        text = self.comparable(answer.text)
        accepted = {self.comparable(one) for one in accepted_texts(reference)} | {self.comparable(reference)}
        if text in accepted and not answer.filtered:
            return JudgeResult(1.0, CORRECT, "the answer is an accepted text")
        shown = repr(text[:MAX_SHOWN_CHARACTERS]) if text else "empty"
        return JudgeResult(0.0, WRONG, f"the answer is {shown}, which is not the text of the field {self.field!r}")

    def comparable(self, text: str) -> str:
        """Return the part of a text that is compared, in the form in which it is compared."""
        fold: Callable[[str], str] = str if self.case_matters else str.casefold
        if self.strip == NOTHING:
            return fold(text)
        folded = fold(normalize(text))
        return (folded.strip(STRIPPED_CHARACTERS) or folded) if self.strip == PUNCTUATION else folded


def accepted_texts(reference: str) -> list[str]:
    """Return the texts that a field accepts: a JSON list of texts, or texts separated by bars."""
    listed = texts_in_field(reference)
    return listed if listed != [reference] else [part for part in reference.split("|") if part.strip()]


def _build(options: Mapping[str, str]) -> RuleJudge:
    return RuleJudge(TextComparison(options["field"], options["case"] == SENSITIVE, options["strip"]).judge)


EXACT_JUDGE = JudgeType(
    name="exact",
    version="1",
    description=(
        "Scores 1 if the answer is the text of a sample's field, or one of several texts that are separated by bars "
        '("yes|yes, it is") or in a JSON list. Typography and repeated spaces are ignored. An empty or filtered '
        "answer scores 0."
    ),
    options=(field_option("the right text"), CASE, STRIP),
    labels=(CORRECT, WRONG),
    build=_build,
)
