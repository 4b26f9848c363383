"""The sums of a cell's verdicts by gold label, for a score that is balanced over the labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from urllib.parse import quote, unquote


@dataclass(slots=True)
class LabelSums:
    """Sums over the verdicts of a cell that count in the mean and have the same gold label."""

    n: int = 0
    sum: float = 0.0
    sum_squares: float = 0.0
    filtered: int = 0
    """The FILTERED verdicts among them."""

    filtered_sum: float = 0.0
    """The sum of the scores of these."""

    def add(self, count: int, score_sum: float, sum_squares: float, *, is_filtered: bool) -> None:
        """Add `count` verdicts of one outcome."""
        self.n += count
        self.sum += score_sum
        self.sum_squares += sum_squares
        if is_filtered:
            self.filtered += count
            self.filtered_sum += score_sum


FIELDS = tuple(each.name for each in fields(LabelSums))


def label_increments(labels: Mapping[str, LabelSums]) -> dict[str, float]:
    """Return the sums by the path of their field in the document of a cell; a sum of 0 is not stored."""
    return {
        f"labels.{_to_key(label)}.{name}": value
        for label, sums in labels.items()
        for name in FIELDS
        if (value := getattr(sums, name))
    }


def merge_labels(buckets: Iterable[Mapping[str, Mapping[str, float]]]) -> dict[str, LabelSums]:
    """Return the sums over the buckets of a cell, by label in order."""
    merged: dict[str, LabelSums] = {}
    for bucket in buckets:
        for key, stored in bucket.items():
            sums = merged.setdefault(unquote(key), LabelSums())
            for name, value in stored.items():
                setattr(sums, name, getattr(sums, name) + value)
    return dict(sorted(merged.items()))


def _to_key(label: str) -> str:
    """Return the label as the name of a field: MongoDB reads a "." as a path, and a "$" as an operator."""
    return quote(label, safe="").replace(".", "%2E")
