"""The laws of dividing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from libra.gateway.quota.fair_share import apportioned, fair, in_proportion

WANTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 2000), min_size=1, max_size=8)
LIMITS = st.integers(1, 1500)
TURNS = st.integers(0, 50)


@given(LIMITS, WANTS, TURNS)
def test_all_of_the_limit_is_given_if_any_of_it_is_wanted(limit: int, wants: dict[str, int], turn: int) -> None:
    for parts in (fair(limit, wants, turn), in_proportion(limit, wants, turn)):
        assert parts.keys() == wants.keys()
        assert sum(parts.values()) == (limit if any(wants.values()) else 0)
        assert all(part >= 0 for part in parts.values())
        assert all(parts[name] == 0 for name, want in wants.items() if want == 0)


@given(LIMITS, WANTS, TURNS)
def test_nobody_who_is_short_has_less_than_another(limit: int, wants: dict[str, int], turn: int) -> None:
    parts = fair(limit, wants, turn)
    short = [parts[name] for name, want in wants.items() if parts[name] < want]
    if short:
        assert max(parts.values()) - min(short) <= 1


@given(LIMITS, WANTS)
def test_where_there_is_too_little_everyone_has_a_turn(limit: int, wants: dict[str, int]) -> None:
    wanting = {name for name, want in wants.items() if want}
    served = {name for turn in range(len(wanting)) for name, part in fair(limit, wants, turn).items() if part}
    assert served == wanting


@given(LIMITS, WANTS)
def test_with_enough_for_all_everyone_has_some(limit: int, wants: dict[str, int]) -> None:
    wanting = {name for name, want in wants.items() if want}
    if len(wanting) <= limit:
        for parts in (fair(limit, wants), in_proportion(limit, wants)):
            assert all(parts[name] for name in wanting)


@given(st.integers(0, 10_000), st.dictionaries(st.text("abcdef", max_size=2), st.integers(1, 2000), min_size=1))
def test_a_part_is_within_one_of_its_proportion(total: int, weights: dict[str, int]) -> None:
    parts = apportioned(total, weights)
    assert sum(parts.values()) == total
    assert all(abs(parts[name] - total * weight / sum(weights.values())) < 1 for name, weight in weights.items())


def test_one_who_is_alone_has_it_all() -> None:
    assert fair(500, {"a": 1, "b": 0}) == {"a": 500, "b": 0}


def test_who_wants_little_leaves_the_rest_to_the_others() -> None:
    assert fair(100, {"a": 10, "b": 500, "c": 500}) == {"a": 10, "b": 45, "c": 45}
