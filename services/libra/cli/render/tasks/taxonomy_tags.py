"""Formats the tags of tasks and attacks in taxonomies."""

from __future__ import annotations

from collections.abc import Iterable

from libra.v1.taxonomy_pb2 import TaxonomyTags


def tag_pairs(taxonomies: Iterable[TaxonomyTags]) -> list[tuple[str, str]]:
    """Return the name of each taxonomy with its tags, or with the reason why there is none, for print_pairs."""
    return [(each.taxonomy, describe_tags(each)) for each in taxonomies]


def describe_tags(tags: TaxonomyTags) -> str:
    """Return the tags of one taxonomy: "hte Hate, prv Privacy Violations, by the field risk_area of each sample"."""
    if not tags.entries:
        return f"none: {tags.reason}"
    entries = ", ".join(f"{entry.id} {entry.name}" for entry in tags.entries)
    fields = " or ".join(tags.sample_fields)
    by_field = f" (by the field {fields} of each sample)" if fields else ""
    return f"{entries}{by_field}"


def short_tags(taxonomies: Iterable[TaxonomyTags]) -> str:
    """Return the identifiers of all tags: "LLM01 AML.T0054"."""
    return " ".join(entry.id for each in taxonomies for entry in each.entries)
