"""The adjustments of one registered model, and those that one request finds out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from libra.gateway.provider.applied_adjustments import with_adjustments
from libra.gateway.provider.request import CompletionRequest
from libra.v1.completion_pb2 import Adjustment

MAX_ADJUSTMENTS_PER_REQUEST = 8
"""Repeats of one request because of refused parameters; each is at once, so an endpoint that lies must not loop."""

MAX_CHANGES = 32
"""Changes of what is remembered of a model by one replica: behind one URL may be servers that contradict each other.
Beyond it, each request finds out for itself."""


class LearnedAdjustments:
    """The adjustments of all requests to one model."""

    def __init__(self) -> None:
        self._by_parameter: dict[str, Adjustment] = {}
        self._changes = 0
        self.replacements: Mapping[str, str] = {}
        """By parameter; "" for a parameter that is dropped."""
        self.unsaved: dict[str, Adjustment] = {}
        """By parameter, those that the store does not have yet."""

    def list(self) -> list[Adjustment]:
        """Return the adjustments, in order of parameter."""
        return [self._by_parameter[parameter] for parameter in sorted(self._by_parameter)]

    def merge(self, stored: Iterable[Adjustment]) -> None:
        """Add what the store has; of two for one parameter, the later one counts."""
        for adjustment in stored:
            known = self._by_parameter.get(adjustment.parameter)
            if known is None or known.learn_time.ToNanoseconds() < adjustment.learn_time.ToNanoseconds():
                self._set(adjustment)

    def learn(self, adjustment: Adjustment, known_before: Mapping[str, str]) -> bool:
        """Remember an adjustment with which an endpoint answered; return whether it is new.

        `known_before` is what was known when the request began. What other requests learned since then stays.
        """
        parameter = adjustment.parameter
        now = self.replacements.get(parameter)
        if now == adjustment.replacement or now != known_before.get(parameter) or self._changes >= MAX_CHANGES:
            return False
        self._changes += 1
        learned = Adjustment()
        learned.CopyFrom(adjustment)
        learned.learn_time.FromMilliseconds(round(datetime.now(UTC).timestamp() * 1000))
        self._set(learned)
        self.unsaved[parameter] = learned
        return True

    def _set(self, adjustment: Adjustment) -> None:
        self._by_parameter[adjustment.parameter] = adjustment
        self.replacements = {**self.replacements, adjustment.parameter: adjustment.replacement}


class RequestAdjuster:
    """Adjusts one request until its endpoint accepts it, a bounded number of times."""

    def __init__(self, learned: LearnedAdjustments) -> None:
        self._learned = learned
        self._known_before = learned.replacements
        self._found: dict[str, Adjustment] = {}
        self._tried: set[tuple[str, str]] = set()

    def adjust(self, request: CompletionRequest, adjustment: Adjustment) -> CompletionRequest | None:
        """Return the request with the adjustment; None if that was tried, or changes nothing."""
        step = adjustment.parameter, adjustment.replacement
        if step in self._tried or len(self._tried) >= MAX_ADJUSTMENTS_PER_REQUEST:
            return None
        self._tried.add(step)
        self._found[adjustment.parameter] = adjustment
        found = {parameter: each.replacement for parameter, each in self._found.items()}
        adjusted = with_adjustments(request, {**self._learned.replacements, **found})
        return None if adjusted.adjustments == request.adjustments else adjusted

    def confirm(self) -> list[Adjustment]:
        """Remember what was found out, now that the endpoint answered; return what is new.

        Nothing is remembered before: an endpoint may name a parameter that is not the cause.
        """
        if not self._found:
            return []
        found = [each for each in self._found.values() if self._learned.learn(each, self._known_before)]
        self._found.clear()
        return found
