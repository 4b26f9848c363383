"""The judge `exact`: is the answer this text and nothing else?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from libra.judge.answers.wrapping import unwrapped
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
RATIO = re.compile(r"(?<=\d)(?:\s([:/])\s?|([:/])\s)(?=\d)")
"""The sign in 3 : 2 with spaces, which are left out."""

MAX_SHOWN_CHARACTERS = 80

CACHED_REFERENCES, MAX_CACHED_CHARACTERS = 4096, 1_000
"""Many answers are compared with the same reference: those of all models and epochs to one sample."""

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
        text, accepted = self.comparable(answer.text), self._accepted(reference)
        if text in accepted and not answer.filtered:
            return JudgeResult(1.0, CORRECT, "the answer is an accepted text")
        shown = repr(text[:MAX_SHOWN_CHARACTERS]) if text else "empty"
        return JudgeResult(0.0, WRONG, f"the answer is {shown}, which is not the text of the field {self.field!r}")

    def may_continue(self, answer: JudgedAnswer) -> bool:
        """Tell whether an answer that was cut off is the start of an accepted text."""
        text = self.comparable(answer.text)
        return any(accepted.startswith(text) for accepted in self._accepted(answer.fields.get(self.field, "")))

    def _accepted(self, reference: str) -> frozenset[str]:
        is_short = len(reference) <= MAX_CACHED_CHARACTERS
        return _known_comparable_texts(self, reference) if is_short else _comparable_texts(self, reference)

    def comparable(self, text: str) -> str:
        """Return the part of a text that is compared, in the form in which it is compared."""
        fold: Callable[[str], str] = str if self.case_matters else str.casefold
        if self.strip == NOTHING:
            return fold(text)
        folded = fold(normalize(unwrapped(text) if self.strip == PUNCTUATION else text))
        if self.strip == SPACE:
            return folded
        if ":" in folded or "/" in folded:
            folded = RATIO.sub(r"\1\2", folded)
        return folded.strip(STRIPPED_CHARACTERS) or folded


def _comparable_texts(comparison: TextComparison, reference: str) -> frozenset[str]:
    """Return every accepted text of a reference in the form in which it is compared."""
    return frozenset(map(comparison.comparable, {*accepted_texts(reference), reference}))


_known_comparable_texts = lru_cache(maxsize=CACHED_REFERENCES)(_comparable_texts)


def accepted_texts(reference: str) -> list[str]:
    """Return the texts that a field accepts: a JSON list of texts, or texts separated by bars."""
    listed = texts_in_field(reference)
    return listed if listed != [reference] else [part for part in reference.split("|") if part.strip()]


def _build(options: Mapping[str, str]) -> RuleJudge:
    return RuleJudge(TextComparison(options["field"], options["case"] == SENSITIVE, options["strip"]).judge)


EXACT_JUDGE = JudgeType(
    name="exact",
    version="3",
    description=(
        "Scores 1 if the answer is the text of a sample's field, or one of several texts that are separated by bars "
        '("yes|yes, it is") or in a JSON list. What a tag, a field, a box or "answer:" marks is the answer. '
        "Typography, repeated spaces and a code fence or heading around the whole answer are ignored. An empty or "
        "filtered answer scores 0."
    ),
    options=(field_option("the right text"), CASE, STRIP),
    labels=(CORRECT, WRONG),
    build=_build,
)
