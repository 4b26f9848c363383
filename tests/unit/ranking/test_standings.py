from __future__ import annotations

import pytest

from libra.ranking.board.standings import UNRANKED, Overalls, Standing, level, standings
from libra.statistics.influence import external_score
from libra.statistics.score import Score


def overalls(distance: float, by_sum: float = 0.5, by_norm: float = 0.5, error: float | None = 0.01) -> Overalls:
    return Overalls(external_score(distance, error), external_score(by_sum, error), external_score(by_norm, error))


def test_each_formula_has_ranks_of_its_own_and_equals_share_one() -> None:
    found = standings([overalls(0.9, 0.2, 0.5), None, overalls(0.5, 0.9, 0.5), overalls(0.5 + 1e-15, 0.4, 0.6)])
    assert [(each.rank, each.by_sum, each.by_norm) for each in found] == [(1, 3, 2), (0, 0, 0), (2, 1, 2), (2, 2, 1)]
    assert found[1] == UNRANKED == Standing()


@pytest.mark.parametrize(("error", "spans"), [(0.001, [(1, 1), (2, 2), (3, 3)]), (0.03, [(1, 2), (1, 2), (3, 3)])])
def test_ranks_that_the_data_do_not_rule_out(error: float, spans: list[tuple[int, int]]) -> None:
    found = standings([overalls(0.9, error=error), overalls(0.85, error=error), overalls(0.5, error=error)])
    assert [(each.low, each.high) for each in found] == spans


def test_what_cannot_be_told_rules_no_rank_out() -> None:
    found = standings([overalls(0.9, error=None), overalls(0.5, error=0.001)])
    assert [(each.low, each.high) for each in found] == [(1, 2), (1, 2)]
    assert standings([]) == []
    assert standings([None]) == [UNRANKED]


def test_rounding_is_no_difference() -> None:
    assert level(None) == 0
    assert level(Score(0.1 + 0.2, 1, None)) == level(Score(0.3, 1, None))
