"""Imports capability figures that were measured elsewhere, and normalizes them to [0, 1] with fixed ends.

A leaderboard that maps the lowest figure it lists to 0 and the highest to 1 changes every model's score when a model
is added or removed. Here the import says which figure counts as 0 and which as 1; figures beyond are clipped, with a
note.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from libra.core.errors import Invalid
from libra.store.client import Store
from libra.v1.ranking_pb2 import Capability, ImportCapabilitiesResponse, ListCapabilitiesResponse

MAX_FIGURES = 10_000
"""The most in one import."""

MAX_NAME = 200
"""The most characters in the name of a model, a scale or a source."""


@dataclass(frozen=True, slots=True)
class CapabilityScale:
    """A scale with fixed ends; `zero` above `one` reverses it, for figures of which less is better."""

    zero: float
    one: float

    def normalize(self, published: float) -> float:
        """Return the figure on [0, 1]: (published - zero) / (one - zero), clipped at both ends."""
        return min(max(self.normalize_unclipped(published), 0.0), 1.0)

    def normalize_unclipped(self, published: float) -> float:
        """Return the same without clipping."""
        return (published - self.zero) / (self.one - self.zero)

    def normalize_error(self, standard_error: float) -> float:
        """Return a published standard error on the scale."""
        return standard_error / abs(self.one - self.zero)


class CapabilityImport:
    """Answers ImportCapabilities and ListCapabilities."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def import_figures(self, figures: Sequence[Capability]) -> ImportCapabilitiesResponse:
        """Normalize and store the figures, all or none; raise Invalid with the first bad field."""
        normalized, notes = normalize_figures(figures)
        return ImportCapabilitiesResponse(capabilities=await self._store.capabilities.upsert(normalized), notes=notes)

    async def list(self) -> ListCapabilitiesResponse:
        """Return every figure, in order of model."""
        return ListCapabilitiesResponse(capabilities=await self._store.capabilities.list())


def normalize_figures(figures: Sequence[Capability]) -> tuple[list[Capability], list[str]]:
    """Return the figures with value and standard error on [0, 1], and a note on each that was clipped.

    The standard error of a clipped figure keeps its width. Raises Invalid for a bad field.
    """
    _check_all(figures)
    normalized, notes = [], []
    for figure in figures:
        scale = CapabilityScale(figure.zero, figure.one)
        names = ("model", "published", "scale", "zero", "one", "source")
        result = Capability(**{name: getattr(figure, name) for name in names})
        result.value = scale.normalize(figure.published)
        if figure.HasField("standard_error"):
            result.standard_error = scale.normalize_error(figure.standard_error)
        normalized.append(result)
        notes += _clipping_notes(result, scale)
    return normalized, notes


def _clipping_notes(figure: Capability, scale: CapabilityScale) -> list[str]:
    unclipped = scale.normalize_unclipped(figure.published)
    if 0 <= unclipped <= 1:
        return []
    end, value = (figure.one, 1) if unclipped > 1 else (figure.zero, 0)
    return [
        f"{figure.model}: {figure.published:g} lies beyond {end:g}, which counts as {value}: it was clipped to {value}"
    ]


def _check_all(figures: Sequence[Capability]) -> None:
    if not 1 <= len(figures) <= MAX_FIGURES:
        raise Invalid(
            f"the import has {len(figures):,} figures; it must have 1 to {MAX_FIGURES:,}", field="capabilities"
        )
    first: dict[str, int] = {}
    for position, figure in enumerate(figures):
        _check(figure, f"capabilities[{position}]")
        if figure.model in first:
            raise Invalid(
                f"{figure.model} is there twice (first as capabilities[{first[figure.model]}]): give it one figure",
                field=f"capabilities[{position}].model",
            )
        first[figure.model] = position


def _check(figure: Capability, path: str) -> None:
    for name in ("model", "scale", "source"):
        text = getattr(figure, name)
        if not text or len(text) > MAX_NAME or not text.isprintable():
            raise Invalid(f"it must have 1 to {MAX_NAME} printable characters", field=f"{path}.{name}")
    for name in ("published", "zero", "one"):
        if not math.isfinite(getattr(figure, name)):
            raise Invalid("it must be a finite number", field=f"{path}.{name}")
    if figure.HasField("standard_error") and not 0 <= figure.standard_error < math.inf:
        raise Invalid(f"{figure.standard_error:g} is not 0 or more", field=f"{path}.standard_error")
    if figure.zero == figure.one or not math.isfinite(figure.one - figure.zero):
        raise Invalid(
            f"the scale begins and ends at {figure.one:g}: the figures for 0 and 1 must differ",
            field=f"{path}.one",
        )
