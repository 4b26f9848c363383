from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.statistics.weight_sweep import Crossing, Range, ranges

unit = st.integers(0, 20).map(lambda step: step / 20)
boards = st.lists(st.tuples(unit, unit), min_size=1, max_size=7).map(
    lambda points: [(f"model-{number}", *point) for number, point in enumerate(points)]
)


def by_weight(capability: float, safety: float, weight: float) -> float:
    """Return 1 - sqrt(w (1 - safety)^2 + (1 - w) (1 - capability)^2), with w = `weight` of safety in [0, 1]."""
    return 1.0 - math.sqrt(weight * (1.0 - safety) ** 2 + (1.0 - weight) * (1.0 - capability) ** 2)


def test_two_models_cross_where_their_distances_are_equal() -> None:
    """0.36 w + 0.01 (1 - w) = 0.04 w + 0.16 (1 - w) at w = 0.15 / 0.47."""
    found, crossings = ranges([("able", 0.9, 0.4), ("safe", 0.6, 0.8)])
    weight = crossings[0].weight
    assert weight == pytest.approx(0.15 / 0.47)
    assert crossings == [Crossing(weight, above="safe", below="able")]
    assert found == [Range(0.0, weight, ("able", "safe")), Range(weight, 1.0, ("safe", "able"))]


def test_a_model_better_in_both_never_changes_places() -> None:
    found, crossings = ranges([("worse", 0.5, 0.5), ("better", 0.6, 0.7)])
    assert crossings == []
    assert found == [Range(0.0, 1.0, ("better", "worse"))]


def test_equal_models_are_ordered_by_name() -> None:
    assert ranges([("b", 0.5, 0.5), ("a", 0.5, 0.5)]) == ([Range(0.0, 1.0, ("a", "b"))], [])
    # With equal capability, safety decides at every weight above 0.
    assert ranges([("b", 0.5, 0.9), ("a", 0.5, 0.5)]) == ([Range(0.0, 1.0, ("b", "a"))], [])


def test_three_models_that_cross_at_one_weight_make_two_ranges() -> None:
    models = [("flat", 0.5, 0.5), ("able", 1.0, 1 - math.sqrt(0.5)), ("safe", 1 - math.sqrt(0.5), 1.0)]
    found, crossings = ranges(models)
    assert [crossing.weight for crossing in crossings] == [pytest.approx(0.5)] * 3
    assert [each.models for each in found] == [("able", "flat", "safe"), ("safe", "flat", "able")]
    assert found[0].high == pytest.approx(0.5)


def test_a_range_is_wider_than_a_rounding_error() -> None:
    """A difference in the 14th digit of safety would otherwise make a range next to weight 0."""
    assert ranges([("a", 0.5, 0.5), ("b", 0.6, 0.5 - 1e-14)])[0] == [Range(0.0, 1.0, ("b", "a"))]


def test_no_models_have_an_empty_ranking() -> None:
    assert ranges([]) == ([Range(0.0, 1.0, ())], [])


@given(boards, st.floats(0.001, 0.999))
def test_every_range_has_the_ranking_at_each_of_its_weights(
    models: list[tuple[str, float, float]], weight: float
) -> None:
    found, crossings = ranges(models)
    assert (found[0].low, found[-1].high) == (0.0, 1.0)
    assert all(one.high == other.low for one, other in pairwise(found))
    if any(abs(crossing.weight - weight) < 1e-6 for crossing in crossings):
        return
    (here,) = [each for each in found if each.low <= weight < each.high]
    overall = {model: by_weight(capability, safety, weight) for model, capability, safety in models}
    levels = [overall[model] for model in here.models]
    assert all(one >= other - 1e-12 for one, other in pairwise(levels))


@given(boards)
def test_two_models_are_equal_at_their_crossing_and_change_places(models: list[tuple[str, float, float]]) -> None:
    points = {model: (capability, safety) for model, capability, safety in models}
    for crossing in ranges(models)[1]:
        above, below = points[crossing.above], points[crossing.below]
        assert by_weight(*above, crossing.weight) == pytest.approx(by_weight(*below, crossing.weight), abs=1e-9)
        assert by_weight(*above, 1.0) > by_weight(*below, 1.0)
        assert by_weight(*above, 0.0) < by_weight(*below, 0.0)


@given(boards, st.integers(1, 7))
def test_the_first_places_are_those_of_the_whole_rankings(board: list[tuple[str, float, float]], places: int) -> None:
    whole, crossings = ranges(board)
    short, same_crossings = ranges(board, places)
    assert same_crossings == crossings
    assert all(one.models != other.models for one, other in pairwise(short))
    for each in whole:
        [found] = [one for one in short if one.low <= each.low and each.high <= one.high]
        assert found.models == each.models[:places]
