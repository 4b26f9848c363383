"""The filters of a list of verdicts in a URL, and the addresses of the list and of its verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlencode

from libra.core.category_names import CATEGORIES
from libra.core.errors import Invalid
from libra.core.outcome_names import OUTCOMES
from libra.core.response_names import RESPONSES
from libra.v1.ranking_pb2 import ListVerdictsRequest
from libra.web.query import Query

TEXT_FIELDS = ("model", "task", "attack", "label", "judge", "text", "reason")
NAMED_FIELDS: Mapping[str, Mapping[str, int]] = {"outcome": OUTCOMES, "category": CATEGORIES, "response": RESPONSES}
SCORE_FIELDS = ("min_score", "max_score")
SHOW = "show"
"""The parameter that shows texts that may be harmful."""

MAX_REASON_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class VerdictFilters:
    """The filters as the URL has them, without those that are not set."""

    values: Mapping[str, str]
    shows_text: bool = False

    @classmethod
    def read(cls, query: Query) -> Self:
        """Return the filters of a URL. Raises Invalid for a bad value."""
        found = {name: query.text(name, max_characters=MAX_REASON_CHARACTERS) for name in TEXT_FIELDS}
        found |= {name: query.choice(name, words) for name, words in NAMED_FIELDS.items()}
        found |= {name: _read_score(query, name) for name in SCORE_FIELDS}
        return cls({name: value for name, value in found.items() if value}, query.flag(SHOW))

    def get(self, name: str) -> str:
        """Return the value of a filter; empty if it is not set."""
        return self.values.get(name, "")

    def to_request(self, run: str) -> ListVerdictsRequest:
        """Return the request for the verdicts of a run that the filters select."""
        request = ListVerdictsRequest(run=run)
        for name, value in self.values.items():
            if name in NAMED_FIELDS:
                setattr(request, name, NAMED_FIELDS[name][value])
            else:
                setattr(request, name, float(value) if name in SCORE_FIELDS else value)
        return request

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the URL."""
        return {**self.values, **({SHOW: "1"} if self.shows_text else {})}

    def list_url(self, run: str) -> str:
        """Return the address of the list."""
        return f"/runs/{quote(run, safe='')}/verdicts{_suffix(self.parameters())}"

    def search_url(self) -> str:
        """Return the address of the same search in all runs."""
        return f"/verdicts{_suffix(self.parameters())}"

    def verdict_url(self, verdict: str, *, shows_text: bool | None = None) -> str:
        """Return the address of a verdict within the list."""
        shows = self.shows_text if shows_text is None else shows_text
        return f"/verdicts/{quote(verdict, safe='/@')}{_suffix(VerdictFilters(self.values, shows).parameters())}"


def verdict_url(verdict: str) -> str:
    """Return the address of a verdict within all verdicts of its run."""
    return VerdictFilters({}).verdict_url(verdict)


def verdicts_url(run: str, **filters: str) -> str:
    """Return the address of the verdicts of a run that the filters select."""
    return VerdictFilters(filters).list_url(run)


def _suffix(parameters: Mapping[str, str]) -> str:
    return f"?{urlencode(parameters)}" if parameters else ""


def _read_score(query: Query, name: str) -> str:
    text = query.text(name)
    if not text:
        return ""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise Invalid(f"{name} is {text!r}; give a number from 0 to 1", field=name)
    return text
