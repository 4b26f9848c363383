"""Places the labels of points so that they do not cover each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CHARACTER_PIXELS = 7.2
LINE_PIXELS = 15.0
GAP_PIXELS = 8.0
POINT_PIXELS = 7.0
MAX_CHARACTERS = 24


@dataclass(frozen=True, slots=True)
class Label:
    """A label and the point that it belongs to, in the order of importance."""

    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class PlacedLabel:
    """Position of a label: the end of its text that is at x, and its base line."""

    x: float
    y: float
    words: str
    anchor: str


Box = tuple[float, float, float, float]


def shorten(words: str, limit: int = MAX_CHARACTERS) -> str:
    """Return a name cut to `limit` characters."""
    return words if len(words) <= limit else f"{words[: limit - 1]}…"


def place(
    labels: Sequence[Label], points: Sequence[tuple[float, float]], width: float, height: float
) -> list[PlacedLabel]:
    """Return the labels that find a free place beside their point.

    A label covers none of the `points`, and a later label gives way to an earlier one.
    """
    half = POINT_PIXELS / 2
    taken: list[Box] = [(x - half, y - half, x + half, y + half) for x, y in points]
    placed = []
    for label in labels:
        short = shorten(label.words)
        for x, y, anchor in _candidates(label):
            box = _box(x, y, short, anchor)
            if box[0] >= 0 and box[2] <= width and box[1] >= 0 and box[3] <= height and not _hits(box, taken):
                taken.append(box)
                placed.append(PlacedLabel(x, y, short, anchor))
                break
    return placed


def _candidates(label: Label) -> list[tuple[float, float, str]]:
    """Return places beside the point: right, left, above, below, and the corners."""
    right, left = label.x + GAP_PIXELS, label.x - GAP_PIXELS
    return [
        (right, label.y + 4, "start"),
        (left, label.y + 4, "end"),
        (label.x, label.y - GAP_PIXELS - 1, "middle"),
        (label.x, label.y + GAP_PIXELS + 11, "middle"),
        (right, label.y - 9, "start"),
        (right, label.y + 17, "start"),
        (left, label.y - 9, "end"),
        (left, label.y + 17, "end"),
    ]


def _box(x: float, y: float, words: str, anchor: str) -> Box:
    wide = len(words) * CHARACTER_PIXELS
    left = {"start": x, "middle": x - wide / 2, "end": x - wide}[anchor]
    return left, y - LINE_PIXELS + 3, left + wide, y + 3


def _hits(box: Box, taken: Sequence[Box]) -> bool:
    return any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken)
