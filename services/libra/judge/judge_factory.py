"""Tell a judge what it needs, and say how it is then known from others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from libra.judge.judge_type import JudgeType, Judging
from libra.judge.options import checked, rubric_hash


@dataclass(frozen=True, slots=True)
class Judge:
    """A judge that has been told what it needs, and how it is known from others."""

    kind: JudgeType
    judging: Judging
    rubric_hash: str

    asked: tuple[str, ...]
    """The models that it will ask, by their registered names."""


def build_judge(kind: JudgeType, given: Mapping[str, str]) -> Judge:
    """Return a judge that knows the options which concern it; raise Invalid, naming the option, if one will not do.

    Options of other names are passed by: a run may put another judge in the place of the one whose options a card gives.
    """
    options = checked(kind.name, kind.options, given)
    return Judge(kind, kind.build(options), hash_of(kind, options), kind.asked(options))


def hash_of(kind: JudgeType, given: Mapping[str, str]) -> str:
    """Return the hash of what a judge was told, whether it will do or not.

    A judge that is made of others says something else when one of them does: their versions are hashed with it. What is empty
    is left out, so that an option which a judge learns to take changes no hash of before.
    """
    options = {option.name: given.get(option.name, option.default) for option in kind.options}
    said = {name: value for name, value in options.items() if value}
    return rubric_hash(said | {f"version of {part.name}": part.version for part in kind.parts(options)})
