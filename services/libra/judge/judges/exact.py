"""`exact`: is the answer this text, and nothing else?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from libra.judge.answer import Answer
from libra.judge.judge_type import JudgeType
from libra.judge.judges.shared_options import CASE, SENSITIVE, field, missing
from libra.judge.options import Option
from libra.judge.rule_judge import Each
from libra.judge.ruling import Ruling, cannot_tell
from libra.judge.text.leak_search import several
from libra.judge.text.normalize import one_form

CORRECT, WRONG = "correct", "wrong"
PUNCTUATION, SPACE, NOTHING = "punctuation", "space", "nothing"

AROUND = " \t\n\r.,;:!?\"'`*_()[]{}<>…。、，！？：；「」『』（）¿¡"
SHOWN_CHARACTERS = 80

STRIP = Option(
    "strip",
    "What does not count around the text: punctuation, quotes, markup and space; space alone; or nothing.",
    values=(PUNCTUATION, SPACE, NOTHING),
    default=PUNCTUATION,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares texts, disregarding what does not count."""

    field: str
    case_matters: bool
    strip: str

    def rule(self, answer: Answer) -> Ruling:
        """Score 1 if the answer is one of the accepted texts."""
        held = answer.fields.get(self.field, "")
        if not held.strip():
            return cannot_tell(missing(self.field))
        given = self.shape(answer.text)
        accepted = {self.shape(text) for text in alternatives(held)} | {self.shape(held)}
        if given in accepted and not answer.filtered:
            return Ruling(1.0, CORRECT, "the answer is an accepted text")
        said = given[:SHOWN_CHARACTERS] or "nothing"
        return Ruling(0.0, WRONG, f"the answer is {said!r}, which is not the text of the field {self.field!r}")

    def shape(self, text: str) -> str:
        """Return the part of a text that counts."""
        keep: Callable[[str], str] = str if self.case_matters else str.casefold
        if self.strip == NOTHING:
            return keep(text)
        shaped = keep(one_form(text))
        return (shaped.strip(AROUND) or shaped) if self.strip == PUNCTUATION else shaped


def alternatives(held: str) -> list[str]:
    """Return the texts that a field accepts: a JSON list of them, or parts between bars."""
    listed = several(held)
    return listed if listed != [held] else [part for part in held.split("|") if part.strip()]


def _build(options: Mapping[str, str]) -> Each:
    return Each(Comparison(options["field"], options["case"] == SENSITIVE, options["strip"]).rule)


EXACT = JudgeType(
    name="exact",
    version="1",
    description=(
        'Scores 1 if the answer is the text that a field of the sample holds, or one of several between bars ("yes|yes, it is") '
        "or in a JSON list. Typography and runs of space do not count. An empty or filtered answer scores 0."
    ),
    options=(field("the text that is right"), CASE, STRIP),
    labels=(CORRECT, WRONG),
    build=_build,
)
