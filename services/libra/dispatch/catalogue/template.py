"""Fill a template with the values of a record."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from libra.core.errors import Invalid
from libra.dispatch.tasks.card import suggest

PLACEHOLDER = re.compile(r"\{(?P<columns>[\w.-]+(?:\|[\w.-]+)*)(?P<optional>\?)?\}")
"""In braces: a column, or several with bars between, the first with a value counts; with "?" it is optional."""


def fill(template: str, record: Mapping[str, Any]) -> str:
    """Return the template with each {column} replaced; raise Invalid naming a column that is missing.

    Braces around anything else stay. Whitespace at both ends is removed.
    """

    def value_of(placeholder: re.Match[str]) -> str:
        value = lookup(placeholder["columns"], record)
        if value is None and not placeholder["optional"]:
            raise_missing(placeholder["columns"], record)
        return "" if value is None else to_text(value)

    return PLACEHOLDER.sub(value_of, template).strip()


def lookup(columns: str, record: Mapping[str, Any]) -> Any:
    """Return the value of the first of the columns that has one; None if none has. "base.question" is within "base"."""
    for column in columns.split("|"):
        value: Any = record
        for step in [column] if column in record else column.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is not None and value != "":
            return value
    return None


def raise_missing(columns: str, record: Mapping[str, Any]) -> NoReturn:
    """Raise Invalid for columns that a record does not have."""
    names = columns.split("|")
    raise Invalid(f"it has no column {' or '.join(map(repr, names))}; {suggest(names[0], record)}")


def to_text(value: Any) -> str:
    """Return a value as text: text unchanged, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
