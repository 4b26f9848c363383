"""The hazards of MLCommons AILuminate that the categories of guards stand for, from data/hazards.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict, cast

from libra.core.taxonomy.releases import AILUMINATE, load_taxonomies
from libra.judge.text.data_files import load_data


class HazardData(TypedDict):
    """The content of data/hazards.yaml."""

    categories: Mapping[str, Mapping[str, list[str]]]
    """Identifiers of hazards by guard and category."""


DATA = cast("HazardData", load_data("libra.judge.judges.guards", "hazards.yaml"))
RELEASE = f"AILuminate {load_taxonomies()[AILUMINATE].release}"
HAZARDS = load_taxonomies()[AILUMINATE].entries
"""Names by identifier."""


def categories_of(guard: str) -> tuple[str, ...]:
    """Return the categories of a guard, in the order of the file; none if it has none."""
    return tuple(DATA["categories"].get(guard, {}))


def hazard_names(guard: str, categories: Iterable[str]) -> str:
    """Return the hazards of a guard's categories: "Hate; Violent Crimes or Indiscriminate Weapons (CBRNE)"."""
    known = DATA["categories"].get(guard, {})
    found = (" or ".join(HAZARDS[hazard] for hazard in known.get(category, ())) for category in categories)
    return "; ".join(dict.fromkeys(name for name in found if name))
