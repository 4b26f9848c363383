"""Fill a template with what a record holds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from libra.errors import Invalid, nearest

PLACE = re.compile(r"\{(?P<names>[\w.-]+(?:\|[\w.-]+)*)(?P<optional>\?)?\}")
"""In braces: a column or, with bars between, several of which the first that is there is taken; with "?" none need be."""


def filled(template: str, record: Mapping[str, Any]) -> str:
    """Return the template with each {column} replaced; raise Invalid naming a column that is missing.

    Braces around anything else stand for themselves. Space around the whole is dropped.
    """

    def put(place: re.Match[str]) -> str:
        found = looked_up(place["names"], record)
        if found is None and not place["optional"]:
            lacks(place["names"], record)
        return "" if found is None else as_text(found)

    return PLACE.sub(put, template).strip()


def looked_up(names: str, record: Mapping[str, Any]) -> Any:
    """Return what the first of the columns holds that is there; None if none is. "base.question" is within "base"."""
    for name in names.split("|"):
        held: Any = record
        for step in [name] if name in record else name.split("."):
            held = held.get(step) if isinstance(held, Mapping) else None
        if held is not None and held != "":
            return held
    return None


def lacks(names: str, record: Mapping[str, Any]) -> NoReturn:
    """Raise Invalid for columns that a record has not."""
    wanted = names.split("|")
    there = ", ".join(list(record)[:20]) or "none"
    near = nearest(wanted[0], record)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {there}"
    raise Invalid(f"it has no column {' or '.join(map(repr, wanted))}; {hint}")


def as_text(held: Any) -> str:
    """Return a value as text: a text as it is, anything else as its JSON."""
    return held if isinstance(held, str) else json.dumps(held, ensure_ascii=False)
