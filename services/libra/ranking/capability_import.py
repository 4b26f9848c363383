"""Capability figures from elsewhere, put on [0, 1] by ends that are fixed.

A leaderboard that stretches the figures it happens to list, the lowest to 0 and the highest to 1, changes every model's score
when one is added or removed. Here whoever imports says which figure counts as 0 and which as 1; what lies beyond is cut off,
and said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from libra.errors import Invalid
from libra.store.client import Store
from libra.v1.ranking_pb2 import Capability, ImportCapabilitiesResponse, ListCapabilitiesResponse

MAX_FIGURES = 10_000
"""In one import."""

MAX_NAME = 200
"""Characters in a model's name, a scale's or a source."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale with fixed ends; `zero` above `one` turns it round, for figures of which less is better."""

    zero: float
    one: float

    def value(self, published: float) -> float:
        """Return the figure on [0, 1]: (published - zero) / (one - zero), cut off at both ends."""
        return min(max(self.beyond(published), 0.0), 1.0)

    def beyond(self, published: float) -> float:
        """Return the same without cutting anything off."""
        return (published - self.zero) / (self.one - self.zero)

    def error(self, standard_error: float) -> float:
        """Return a standard error, as it was published, on the scale."""
        return standard_error / abs(self.one - self.zero)


class Capabilities:
    """Answers ImportCapabilities and ListCapabilities."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, given: Sequence[Capability]) -> ImportCapabilitiesResponse:
        """Keep the figures on their scales, all or none; Invalid names the first field at fault."""
        scaled, notes = on_scale(given)
        return ImportCapabilitiesResponse(capabilities=await self._store.capabilities.upsert(scaled), notes=notes)

    async def list(self) -> ListCapabilitiesResponse:
        """Return every figure, in order of model."""
        return ListCapabilitiesResponse(capabilities=await self._store.capabilities.list())


def on_scale(given: Sequence[Capability]) -> tuple[list[Capability], list[str]]:
    """Return the figures with value and standard error on [0, 1], and a sentence for each that was cut off.

    A standard error of one that was cut off stays as wide as it is. Invalid for a field that holds what it must not.
    """
    _check_all(given)
    scaled, notes = [], []
    for figure in given:
        scale = Scale(figure.zero, figure.one)
        kept = Capability(**{name: getattr(figure, name) for name in ("model", "published", "scale", "zero", "one")})
        kept.source, kept.value = figure.source, scale.value(figure.published)
        if figure.HasField("standard_error"):
            kept.standard_error = scale.error(figure.standard_error)
        scaled.append(kept)
        notes += _cut_off(kept, scale)
    return scaled, notes


def _cut_off(figure: Capability, scale: Scale) -> list[str]:
    where = scale.beyond(figure.published)
    if 0 <= where <= 1:
        return []
    end, counts = (figure.one, 1) if where > 1 else (figure.zero, 0)
    return [f"{figure.model}: {figure.published:g} lies beyond {end:g}, which counts as {counts}: it is cut off there"]


def _check_all(given: Sequence[Capability]) -> None:
    if not 1 <= len(given) <= MAX_FIGURES:
        raise Invalid(
            f"it holds {len(given):,} figures; 1 to {MAX_FIGURES:,} are imported at once", field="capabilities"
        )
    first: dict[str, int] = {}
    for place, figure in enumerate(given):
        _check(figure, f"capabilities[{place}]")
        if figure.model in first:
            raise Invalid(
                f"{figure.model} stands there twice (first as capabilities[{first[figure.model]}]): give it one figure",
                field=f"capabilities[{place}].model",
            )
        first[figure.model] = place


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
            f"the scale begins and ends at {figure.one:g}: what counts as 0 and what as 1 must differ",
            field=f"{path}.one",
        )
