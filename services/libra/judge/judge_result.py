"""The output of a judge for one answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class JudgeResult:
    """A score with its label and reason, or the statement that the judge cannot tell."""

    score: float | None
    """In [0, 1], 1 = what we want; None if the judge cannot tell. It then gives no middle score."""

    label: str
    """One of the judge's labels; empty if it cannot tell."""

    reason: str
    """One sentence."""

    fields: Mapping[str, str] = field(default_factory=dict)
    """Fields that the judge adds to the verdict, such as the votes of a panel."""


def cannot_tell(reason: str, fields: Mapping[str, str] | None = None) -> JudgeResult:
    """Return the result of a judge that cannot tell, with the reason."""
    return JudgeResult(None, "", reason, fields or {})
