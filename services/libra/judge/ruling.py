"""What a judge says of one answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ruling:
    """A score with its label, or the word that there is none."""

    score: float | None
    """In [0, 1], 1 = what we want; None if the judge cannot tell. A judge that cannot tell gives no middling score."""

    label: str
    """One of the judge's labels; empty if it cannot tell."""

    reason: str
    """In a sentence."""

    fields: Mapping[str, str] = field(default_factory=dict)
    """What the verdict keeps beside, as the votes of a panel."""


def cannot_tell(reason: str, fields: Mapping[str, str] | None = None) -> Ruling:
    """Return the ruling of a judge that cannot tell, and why it cannot."""
    return Ruling(None, "", reason, fields or {})
