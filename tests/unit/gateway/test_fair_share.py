"""Laws of the division of a limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from libra.gateway.quota.fair_share import apportion, fair_shares, proportional_shares

DEMANDS = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 2000), min_size=1, max_size=8)
LIMITS = st.integers(1, 1500)
ROTATIONS = st.integers(0, 50)


@given(LIMITS, DEMANDS, ROTATIONS)
def test_the_whole_limit_is_shared_if_there_is_any_demand(limit: int, demands: dict[str, int], rotation: int) -> None:
    for shares in (fair_shares(limit, demands, rotation), proportional_shares(limit, demands, rotation)):
        assert shares.keys() == demands.keys()
        assert sum(shares.values()) == (limit if any(demands.values()) else 0)
        assert all(share >= 0 for share in shares.values())
        assert all(shares[name] == 0 for name, demand in demands.items() if demand == 0)


@given(LIMITS, DEMANDS, ROTATIONS)
def test_a_replica_with_unmet_demand_has_no_less_than_another(
    limit: int, demands: dict[str, int], rotation: int
) -> None:
    shares = fair_shares(limit, demands, rotation)
    unmet = [shares[name] for name, demand in demands.items() if shares[name] < demand]
    if unmet:
        assert max(shares.values()) - min(unmet) <= 1


@given(LIMITS, DEMANDS)
def test_every_replica_has_its_turn_if_the_limit_is_too_small(limit: int, demands: dict[str, int]) -> None:
    wanting = {name for name, demand in demands.items() if demand}
    served = {
        name
        for rotation in range(len(wanting))
        for name, share in fair_shares(limit, demands, rotation).items()
        if share
    }
    assert served == wanting


@given(LIMITS, DEMANDS)
def test_every_replica_has_a_share_if_the_limit_is_large_enough(limit: int, demands: dict[str, int]) -> None:
    wanting = {name for name, demand in demands.items() if demand}
    if len(wanting) <= limit:
        for shares in (fair_shares(limit, demands), proportional_shares(limit, demands)):
            assert all(shares[name] for name in wanting)


@given(st.integers(0, 10_000), st.dictionaries(st.text("abcdef", max_size=2), st.integers(1, 2000), min_size=1))
def test_a_share_is_within_one_of_its_proportion(total: int, weights: dict[str, int]) -> None:
    shares = apportion(total, weights)
    assert sum(shares.values()) == total
    assert all(abs(shares[name] - total * weight / sum(weights.values())) < 1 for name, weight in weights.items())


def test_a_single_replica_has_the_whole_limit() -> None:
    assert fair_shares(500, {"a": 1, "b": 0}) == {"a": 500, "b": 0}


def test_a_small_demand_leaves_the_rest_to_the_others() -> None:
    assert fair_shares(100, {"a": 10, "b": 500, "c": 500}) == {"a": 10, "b": 45, "c": 45}
