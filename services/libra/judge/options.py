"""The options of judges: their definition, their checks, and their hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from libra.core.errors import Invalid, unknown

OPTIONS_FIELD = "judge.options"
HASH_DIGITS = 12


def accept_any(_: str) -> str:
    """Accept every value."""
    return ""


@dataclass(frozen=True, slots=True)
class JudgeOption:
    """One option of a judge."""

    name: str
    description: str
    required: bool = False

    values: tuple[str, ...] = ()
    """The allowed values; empty if any text is allowed."""

    default: str = ""
    """The value if none is given; unused if the option is required."""

    validate: Callable[[str], str] = accept_any
    """Returns what is wrong with a value, as the end of "the option x of the judge y ..."; empty if it is valid."""


def option_field(name: str) -> str:
    """Return the path by which errors name an option."""
    return f"{OPTIONS_FIELD}[{name}]"


def checked_options(judge: str, options: Sequence[JudgeOption], given: Mapping[str, str]) -> dict[str, str]:
    """Return the value of every option, defaults included, in order of name.

    Raises:
        Invalid: a required option is missing or a value is not allowed; the message names the option and the valid
        values.
    """
    return {option.name: checked_value(judge, option, given) for option in sorted(options, key=lambda one: one.name)}


def checked_value(judge: str, option: JudgeOption, given: Mapping[str, str]) -> str:
    """Return the value of one option, or its default; raise Invalid if it is missing or not allowed."""
    field = option_field(option.name)
    value = given.get(option.name, option.default)
    if option.required and not value.strip():
        valid = f" ({' or '.join(option.values)})" if option.values else ""
        raise Invalid(f"the judge {judge} needs the option {option.name!r}{valid}: {option.description}", field=field)
    if option.values and value not in option.values:
        unknown_value = unknown(f"{option.name} of the judge {judge}", value, option.values)
        raise Invalid(f"{unknown_value}; it takes {' or '.join(option.values)}", field=field)
    if value and (error := option.validate(value)):
        raise Invalid(f"the option {option.name!r} of the judge {judge} {error}", field=field)
    return value


def reject_unknown_options(judge: str, options: Sequence[JudgeOption], given: Mapping[str, str]) -> None:
    """Raise Invalid at the first option that the judge does not have, naming the nearest one."""
    names = [option.name for option in options]
    for name in sorted(given):
        if name not in names:
            raise Invalid(unknown(f"option of the judge {judge}", name, names), field=option_field(name))


def hash_of_options(options: Mapping[str, str]) -> str:
    """Return the first 12 hex digits of the SHA-256 of a judge's options, which include its rubric and its judge model.

    Callers pass defaults explicitly, so that a default that is given has the same hash as one that is not.
    """
    text = json.dumps(dict(options), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]
