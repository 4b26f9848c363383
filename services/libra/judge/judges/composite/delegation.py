"""Pass the options of a composite judge on to the judges that it uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from libra.judge.judge_type import JudgeType
from libra.judge.options import JudgeOption


def delegated_options(judge_types: Iterable[JudgeType]) -> tuple[JudgeOption, ...]:
    """Return the options of the judges as options of a composite judge: each name once, in order, and none required.

    An option that is not given keeps the default of the judge that it is for.
    """
    users: dict[str, list[tuple[JudgeType, JudgeOption]]] = {}
    for judge_type in judge_types:
        for option in judge_type.options:
            users.setdefault(option.name, []).append((judge_type, option))
    return tuple(_delegated_option(users[name]) for name in sorted(users))


def own_options(judge_type: JudgeType, options: Mapping[str, str]) -> dict[str, str]:
    """Return the options of a composite judge that are set and are for this judge."""
    return {option.name: options[option.name] for option in judge_type.options if options[option.name]}


def _delegated_option(users: list[tuple[JudgeType, JudgeOption]]) -> JudgeOption:
    """Return one option for all judges that have one of its name. The judges themselves check its value."""
    names = ", ".join(judge_type.name for judge_type, _ in users)
    (_, first), *_ = users
    is_same = len({option.description for _, option in users}) == 1
    return JudgeOption(first.name, f"For {names}: {first.description if is_same else 'see that judge.'}")
