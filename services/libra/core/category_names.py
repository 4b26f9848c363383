"""Names of task categories, as users write them."""

from __future__ import annotations

from collections.abc import Mapping

from libra.v1.task_pb2 import Category

PREFIX = "CATEGORY_"

CATEGORIES: Mapping[str, Category.ValueType] = {
    name.removeprefix(PREFIX).lower(): number for name, number in Category.items() if number
}
"""Every category by its name, for instance `direct_risky`."""


def category_name(category: int) -> str:
    """Return the name of a category, or its number as text if this version does not know it."""
    known = {number: name for name, number in Category.items()}
    return known.get(Category.ValueType(category), str(category)).removeprefix(PREFIX).lower()
