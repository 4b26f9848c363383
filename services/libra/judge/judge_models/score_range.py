"""The range of the scores that a judge model gives: from the option `scale`, from the rubric, or from 0 to 1."""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMBER = r"\d{1,4}(?:\.\d{1,4})?"
BETWEEN = rf"(?P<low>{NUMBER}) ?(?:-|–|—|to|and) ?(?P<high>{NUMBER})"
SCALE = re.compile(BETWEEN)
IN_RUBRIC = re.compile(
    rf"\b(?:scale|score[sd]?|scoring|rat(?:e|es|ed|ing)|grad(?:e|es|ed|ing)|points?|number|integer)\b[^.\n\d]{{0,60}}"
    rf"\b(?:from|of|between|in)? ?{BETWEEN}\b",
    re.IGNORECASE,
)
"""Finds "on a scale from 1 to 5", "Rate the answer 1-10" and the like."""


@dataclass(frozen=True, slots=True)
class ScoreRange:
    """The least and the greatest score. They count as 0 and 1."""

    low: float
    high: float

    def normalize(self, score: float) -> float | None:
        """Return the score on the scale from 0 to 1; None if it is outside the range."""
        return (score - self.low) / (self.high - self.low) if self.low <= score <= self.high else None


UNIT = ScoreRange(0.0, 1.0)


def scale_error(value: str) -> str:
    """Return what is wrong with the option `scale`, as the end of a sentence; "" if nothing is."""
    return "" if _to_range(SCALE.fullmatch(value.strip())) else f"is {value!r}; give a range such as 1-5"


def range_of(rubric: str, scale: str = "") -> ScoreRange:
    """Return the range that the scale names or else the rubric, if it names a single one; else from 0 to 1."""
    if scale:
        return _to_range(SCALE.fullmatch(scale.strip())) or UNIT
    found = {one for match in IN_RUBRIC.finditer(rubric) if (one := _to_range(match)) is not None}
    return found.pop() if len(found) == 1 else UNIT


def _to_range(match: re.Match[str] | None) -> ScoreRange | None:
    if match is None or float(match["low"]) >= float(match["high"]):
        return None
    return ScoreRange(float(match["low"]), float(match["high"]))
