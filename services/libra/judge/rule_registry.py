"""The judges that are rules: they ask nobody. Judges that are made of others choose among these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from libra.judge.judge_type import JudgeType
from libra.judge.judges.choice import CHOICE
from libra.judge.judges.contains import ABSENT_KIND, CONTAINS
from libra.judge.judges.differs import DIFFERS
from libra.judge.judges.exact import EXACT
from libra.judge.judges.not_named import NOT_NAMED
from libra.judge.judges.number import NUMBER
from libra.judge.judges.rating import RATING
from libra.judge.judges.refusal import REFUSAL
from libra.judge.judges.stance import STANCE_KIND
from libra.judge.judges.yes_no import YES_NO
from libra.judge.options import Option


def in_order(kinds: Iterable[JudgeType]) -> dict[str, JudgeType]:
    """Return the judges by name, in order of name."""
    return {kind.name: kind for kind in sorted(kinds, key=lambda one: one.name)}


RULES: Mapping[str, JudgeType] = in_order(
    [ABSENT_KIND, CHOICE, CONTAINS, DIFFERS, EXACT, NOT_NAMED, NUMBER, RATING, REFUSAL, STANCE_KIND, YES_NO]
)
"""By name, in order of name."""


def options_of(kinds: Iterable[JudgeType], *, without: Iterable[str] = ()) -> tuple[Option, ...]:
    """Return what the judges can be told, as options of a judge that hands them on: each name once, none of them required.

    One that is not given is left to the default of the judge that it concerns.
    """
    users: dict[str, list[tuple[JudgeType, Option]]] = {}
    for kind in kinds:
        for option in kind.options:
            users.setdefault(option.name, []).append((kind, option))
    return tuple(handed_on(users[name]) for name in sorted(users) if name not in set(without))


def handed_on(users: list[tuple[JudgeType, Option]]) -> Option:
    """Return one option for all the judges that have one of its name; their own checks say what is wrong with a value."""
    names = ", ".join(kind.name for kind, _ in users)
    (_, first), *_ = users
    described = (
        first.description if len({option.description for _, option in users}) == 1 else "As that judge takes it."
    )
    return Option(first.name, f"For {names}: {described}")
