"""Reads the filters and the sort order of a page from its URL, and writes URLs that keep them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self
from urllib.parse import urlencode

from aiohttp import web

from libra.core.errors import Invalid, unknown

MAX_TEXT_CHARACTERS = 500
MAX_VALUES = 500
"""Values of one filter that occurs several times."""

MAX_PAGE_TOKEN_CHARACTERS = 4096


class Query:
    """The parameters of one request. Each `read` method raises Invalid, with the valid values, for a bad value.

    A page reads all parameters that it knows and then calls `finish`, which refuses the others.
    """

    def __init__(self, path: str, parameters: Sequence[tuple[str, str]]) -> None:
        self.path = path
        # A form sends its empty fields as well; they are the same as no filter.
        self._parameters = [(name, value) for name, value in parameters if value]
        self._known: set[str] = {name for name, value in parameters if not value}

    @classmethod
    def of(cls, request: web.Request) -> Self:
        """Return the query of a request."""
        return cls(request.path, list(request.query.items()))

    def text(self, name: str, *, max_characters: int = MAX_TEXT_CHARACTERS) -> str:
        """Return a text; empty if it is not given."""
        found = self.texts(name, max_characters=max_characters)
        if len(found) > 1:
            raise Invalid(f"{name} is given {len(found)} times; give it once", field=name)
        return found[0] if found else ""

    def texts(self, name: str, *, max_characters: int = MAX_TEXT_CHARACTERS) -> list[str]:
        """Return all values of a parameter that may occur several times."""
        self._known.add(name)
        found = [value for given, value in self._parameters if given == name]
        if len(found) > MAX_VALUES:
            raise Invalid(f"{name} is given {len(found):,} times; the limit is {MAX_VALUES}", field=name)
        if any(len(value) > max_characters for value in found):
            raise Invalid(f"{name} is longer than {max_characters} characters", field=name)
        return found

    def choice(self, name: str, valid: Iterable[str], default: str = "") -> str:
        """Return one of the `valid` words; `default` if none is given."""
        value, words = self.text(name) or default, list(valid)
        if value != default and value not in words:
            raise Invalid(unknown(name, value, words), field=name)
        return value

    def integer(self, name: str, *, low: int, high: int, default: int) -> int:
        """Return a whole number from `low` to `high`."""
        text = self.text(name)
        if not text:
            return default
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise Invalid(f"{name} is {text!r}; give a whole number from {low} to {high}", field=name)
        return value

    def flag(self, name: str) -> bool:
        """Return whether a switch is on: "1"."""
        return self.choice(name, ("1",)) == "1"

    def page_token(self) -> str:
        """Return the token of the page of a list; empty for the first page."""
        return self.text("page", max_characters=MAX_PAGE_TOKEN_CHARACTERS)

    def finish(self) -> None:
        """Raise Invalid for a parameter that the page does not have."""
        if strange := sorted({name for name, _ in self._parameters} - self._known):
            raise Invalid(unknown("filter", strange[0], sorted(self._known)), field=strange[0])

    def url(self, **changes: str | int | None) -> str:
        """Return the URL of the same view with some parameters changed; None removes one."""
        kept = [(name, value) for name, value in self._parameters if name not in changes]
        added = [(name, str(value)) for name, value in changes.items() if value not in (None, "")]
        return self.path + (f"?{urlencode(kept + added)}" if kept or added else "")

    def at(self, path: str, **changes: str | int | None) -> str:
        """Return the URL of another page with the same parameters, some of them changed."""
        return type(self)(path, self._parameters).url(**changes)

    def items(self, *, without: Iterable[str] = ()) -> list[tuple[str, str]]:
        """Return the parameters as they are, for the hidden fields of a form."""
        skipped = set(without)
        return [(name, value) for name, value in self._parameters if name not in skipped]
