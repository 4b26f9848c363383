"""What a judge can be told, and whether it was told well."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from libra.errors import Invalid, unknown

FIELD = "judge.options"
HASH_DIGITS = 12


def anything(_: str) -> str:
    """Find no fault."""
    return ""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that a judge can be told."""

    name: str
    description: str
    required: bool = False

    values: tuple[str, ...] = ()
    """The values it takes; empty if any."""

    default: str = ""
    """What holds where nothing is said; of no use if it is required."""

    fault: Callable[[str], str] = anything
    """What is wrong with a value, as the end of the sentence "the option x of the judge y ..."; empty if nothing is."""


def checked(judge: str, options: Sequence[Option], given: Mapping[str, str]) -> dict[str, str]:
    """Return the value of every option, defaults included, in order of name.

    Raises:
        Invalid: a required option is missing or a value is not allowed; the message names the option and what is valid.
    """
    return {option.name: value(judge, option, given) for option in sorted(options, key=lambda one: one.name)}


def value(judge: str, option: Option, given: Mapping[str, str]) -> str:
    """Return what one option is; raise Invalid if that cannot be."""
    field = f"{FIELD}[{option.name}]"
    told = given.get(option.name, option.default)
    if option.required and not told.strip():
        valid = f" ({' or '.join(option.values)})" if option.values else ""
        raise Invalid(f"the judge {judge} needs the option {option.name!r}{valid}: {option.description}", field=field)
    if option.values and told not in option.values:
        raise Invalid(
            f"{unknown(f'{option.name} of the judge {judge}', told, option.values)}; it takes {' or '.join(option.values)}",
            field=field,
        )
    if told and (fault := option.fault(told)):
        raise Invalid(f"the option {option.name!r} of the judge {judge} {fault}", field=field)
    return told


def refuse_unknown(judge: str, options: Sequence[Option], given: Mapping[str, str]) -> None:
    """Raise Invalid at the first option that the judge does not know, naming the nearest."""
    names = [option.name for option in options]
    for name in sorted(given):
        if name not in names:
            raise Invalid(unknown(f"option of the judge {judge}", name, names), field=f"{FIELD}[{name}]")


def rubric_hash(options: Mapping[str, str]) -> str:
    """Return the first 12 hex digits of the SHA-256 of what a judge was told: rubric, options and judge model.

    A default that is spelled out is the same as one that is not.
    """
    told = json.dumps(dict(options), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]
