"""Parse the tags of a card: its keys `hazards` and `taxonomies`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libra.core.errors import Invalid, unknown
from libra.core.taxonomy.releases import AILUMINATE, TAXONOMY_NAMES, load_taxonomies
from libra.core.taxonomy.tags import SEPARATOR, sort_ids

TAG_KEYS = ("hazards", "taxonomies")


def parse_tags(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the tags of a card as "taxonomy:id", in order; raise Invalid with the nearest entries for an unknown one.

    `taxonomies` has identifiers or names of entries by taxonomy; `hazards` is short for its key `ailuminate`.
    """
    taxonomies = values.get("taxonomies") or {}
    if not isinstance(taxonomies, dict):
        raise Invalid("taxonomies must be keys with values, such as owasp: [LLM01]")
    tags = _parse_entries(AILUMINATE, values.get("hazards") or [], "hazards")
    for name, entries in taxonomies.items():
        if name not in TAXONOMY_NAMES:
            raise Invalid(f"taxonomies: {unknown('taxonomy', str(name), TAXONOMY_NAMES)}")
        tags += _parse_entries(name, entries or [], f"taxonomies.{name}")
    return sort_ids(tags)


def _parse_entries(taxonomy: str, value: object, key: str) -> list[str]:
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise Invalid(f"{key} must be a list of entries of {load_taxonomies()[taxonomy].label}")
    try:
        return [taxonomy + SEPARATOR + load_taxonomies()[taxonomy].require_id(entry) for entry in entries]
    except Invalid as error:
        raise Invalid(f"{key}: {error.message}") from None
