from __future__ import annotations

import pytest

from libra.ranking.board.ranks import UNRANKED, ModelRanks, OverallScores, rank_models, rounded_value
from libra.statistics.influence import external_score
from libra.statistics.score import Score


def overalls(distance: float, by_sum: float = 0.5, by_norm: float = 0.5, error: float | None = 0.01) -> OverallScores:
    return OverallScores(external_score(distance, error), external_score(by_sum, error), external_score(by_norm, error))


def test_each_formula_has_its_own_ranks_and_equal_scores_share_a_rank() -> None:
    found = rank_models([overalls(0.9, 0.2, 0.5), None, overalls(0.5, 0.9, 0.5), overalls(0.5 + 1e-15, 0.4, 0.6)])
    assert [(each.rank, each.by_sum, each.by_norm) for each in found] == [(1, 3, 2), (0, 0, 0), (2, 1, 2), (2, 2, 1)]
    assert found[1] == UNRANKED == ModelRanks()


@pytest.mark.parametrize(("error", "intervals"), [(0.001, [(1, 1), (2, 2), (3, 3)]), (0.03, [(1, 2), (1, 2), (3, 3)])])
def test_the_rank_interval_has_every_rank_that_the_data_do_not_rule_out(
    error: float, intervals: list[tuple[int, int]]
) -> None:
    found = rank_models([overalls(0.9, error=error), overalls(0.85, error=error), overalls(0.5, error=error)])
    assert [(each.low, each.high) for each in found] == intervals


def test_a_score_without_an_error_rules_out_no_rank() -> None:
    found = rank_models([overalls(0.9, error=None), overalls(0.5, error=0.001)])
    assert [(each.low, each.high) for each in found] == [(1, 2), (1, 2)]
    assert rank_models([]) == []
    assert rank_models([None]) == [UNRANKED]


def test_scores_that_differ_only_by_rounding_are_equal() -> None:
    assert rounded_value(None) == 0
    assert rounded_value(Score(0.1 + 0.2, 1, None)) == rounded_value(Score(0.3, 1, None))
