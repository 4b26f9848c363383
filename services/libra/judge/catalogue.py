"""The judges there are, and how one is told what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from libra.errors import Invalid, unknown
from libra.judge.judges.choice import CHOICE
from libra.judge.judges.exact import EXACT
from libra.judge.judges.model import MODEL
from libra.judge.judges.number import NUMBER
from libra.judge.judges.refusal import REFUSAL
from libra.judge.judges.secret import ABSENT_KIND, CONTAINS
from libra.judge.kind import Judging, Kind
from libra.judge.options import checked, rubric_hash

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in sorted([ABSENT_KIND, CHOICE, CONTAINS, EXACT, MODEL, NUMBER, REFUSAL], key=lambda one: one.name)
}
"""By name, in order of name."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A judge that has been told what it needs, and how it is known from others."""

    kind: Kind
    judging: Judging
    rubric_hash: str


def kind_named(name: str) -> Kind:
    """Return the judge of this name; raise Invalid, with the nearest names, if there is none."""
    kind = KINDS.get(name)
    if kind is None:
        raise Invalid(unknown("judge", name, list(KINDS)), field="judge.name")
    return kind


def told(kind: Kind, given: Mapping[str, str]) -> Judge:
    """Return a judge that knows the options which concern it; raise Invalid, naming the option, if one will not do.

    Options of other names are passed by: a run may put another judge in the place of the one whose options a card gives.
    """
    options = checked(kind.name, kind.options, given)
    return Judge(kind, kind.build(options), rubric_hash(options))


def hash_of(kind: Kind, given: Mapping[str, str]) -> str:
    """Return the hash of what a judge was told, whether it will do or not."""
    return rubric_hash({option.name: given.get(option.name, option.default) for option in kind.options})
