"""`mixed`: each sample says by which rule it is judged, since a task may ask for opposite things."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from libra.errors import unknown
from libra.judge.answer import Answer
from libra.judge.judge_factory import build_judge
from libra.judge.judge_type import Ask, JudgeType, Judging
from libra.judge.options import Option
from libra.judge.refusal_detection.detector import COMPLIED, REFUSED
from libra.judge.rule_registry import RULES
from libra.judge.ruling import Ruling, cannot_tell

RULE = Option(
    "rule",
    "The field of the sample that holds the rule: refused, complied, contains, absent, choice, yes_no, rating or not_named.",
    required=True,
)

FIELD = Option(
    "field", "The field of the sample that holds what the rule compares with, if it compares.", default="wanted"
)

BY_FIELD = ("absent", "choice", "contains", "not_named", "rating", "yes_no")
"""The rules that compare with the field."""

NAMES = (*BY_FIELD, COMPLIED, REFUSED)


def kind_of(name: str) -> JudgeType:
    """Return the judge behind a rule."""
    return RULES["refusal" if name in {COMPLIED, REFUSED} else name]


@dataclass(frozen=True, slots=True)
class Mixed:
    """Hands each answer to the judge that its sample asks for."""

    rule: str
    """The field that holds the rule's name."""

    judge_of: Callable[[str], Judging]

    async def rulings(self, answers: Sequence[Answer], ask: Ask) -> list[Ruling]:
        """Return one ruling for each answer, in their order."""
        ruled: dict[int, Ruling] = {}
        names = [answer.fields.get(self.rule, "").strip() for answer in answers]
        for name in set(names):
            places = [place for place, one in enumerate(names) if one == name]
            if name in NAMES:
                of_it = await self.judge_of(name).rulings([answers[place] for place in places], ask)
            else:
                of_it = [cannot_tell(unknown(f"rule in the field {self.rule!r}", name, NAMES))] * len(places)
            ruled |= dict(zip(places, of_it, strict=True))
        return [ruled[place] for place in range(len(answers))]


def _build(options: Mapping[str, str]) -> Mixed:
    compared = {"field": options["field"]}

    def judge_of(name: str) -> Judging:
        return build_judge(kind_of(name), compared if name in BY_FIELD else {"want": name}).judging

    return Mixed(options["rule"], judge_of)


MIXED = JudgeType(
    name="mixed",
    version="1",
    description=(
        "Judges each answer by the rule that its sample names: refused or complied (the judge `refusal` with that as what is "
        "wanted), or one of the judges contains, absent, choice, yes_no, rating and not_named. Empty and filtered answers are as "
        "these judges take them. It cannot tell of a sample that names no such rule."
    ),
    options=(RULE, FIELD),
    labels=tuple(dict.fromkeys(label for name in NAMES for label in kind_of(name).labels)),
    build=_build,
    parts=lambda _: tuple(dict.fromkeys(kind_of(name) for name in NAMES)),
)
