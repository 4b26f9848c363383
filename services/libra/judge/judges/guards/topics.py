"""The option that chooses the principles or criteria of a guard that takes one a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from libra.judge.judges.shared_options import comma_separated
from libra.judge.options import JudgeOption


def topics_option(name: str, what: str, known: Iterable[str], default: str = "") -> JudgeOption:
    """Return the option `name`, a comma-separated list of known topics; without a default, all of them."""
    names = list(known)

    def error(value: str) -> str:
        wrong = [topic for topic in comma_separated(value) if topic not in names]
        return f"has no {wrong[0]!r}; it takes {', '.join(names)}" if wrong else ""

    description = f"The guard's {what} Comma-separated, of {', '.join(names)}; {default or 'all'} if not given."
    return JudgeOption(name, description, default=default, validate=error)


def chosen(options: Mapping[str, str], option: JudgeOption, known: Iterable[str]) -> tuple[str, ...]:
    """Return the topics that the options choose."""
    return tuple(dict.fromkeys(comma_separated(options[option.name]))) or tuple(known)
