from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.ranking.board.board import ModelRow, build_rows
from libra.statistics import interval
from libra.v1.task_pb2 import Category

from .cells import board_cell, cell

RISKY, ATTACKED = Category.CATEGORY_DIRECT_RISKY, Category.CATEGORY_ADVERSARIAL
SENSITIVE, ABLE = Category.CATEGORY_OVER_SENSITIVE, Category.CATEGORY_CAPABILITY


def model(name: str, *, safe: float = 0.8, able: float = 0.6) -> list[object]:
    return [
        board_cell(cell(name, "harm@1", category=RISKY, score=safe)),
        board_cell(cell(name, "harm@1", attack="few_shots", category=ATTACKED, score=safe)),
        board_cell(cell(name, "math@1", category=ABLE, score=able)),
    ]


def board(*board_cells: object) -> list[ModelRow]:
    return build_rows(board_cells)  # type: ignore[arg-type]  # all are cells


def test_category_scores_are_means_of_tasks_and_safety_is_the_mean_of_categories() -> None:
    [row] = board(
        board_cell(cell(task="a@1", category=RISKY, score=1.0)),
        board_cell(cell(task="b@1", category=RISKY, score=0.0, n=1000)),
        board_cell(cell(task="a@1", category=ATTACKED, attack="few_shots", score=0.25)),
        board_cell(cell(task="c@1", category=SENSITIVE, n=0, failed=20)),
        board_cell(cell(task="d@1", category=ABLE, score=0.5)),
        board_cell(cell(task="e@1", category=ABLE, score=1.0)),
    )
    assert [(each.category, each.score and each.score.value) for each in row.categories] == [
        (RISKY, 0.5),
        (ATTACKED, 0.25),
        (SENSITIVE, None),
        (ABLE, 0.75),
    ]
    assert row.safety
    assert row.safety.value == 0.375
    assert row.capability
    assert row.capability.value == 0.75
    assert row.overall
    assert row.overall.value == pytest.approx(1 - ((0.25**2 + 0.625**2) / 2) ** 0.5)
    assert [task.label for each in row.categories for task in each.tasks] == ["a", "b", "a+few_shots", "c", "d", "e"]
    assert row.coverage == pytest.approx(1080 / 1100)


def test_models_are_ranked_by_overall_and_models_with_the_same_overall_share_a_rank() -> None:
    unranked = board_cell(cell("a-safe-one", category=RISKY, score=1.0))
    rows = board(
        *model("c", safe=0.8, able=0.6),
        *model("b", safe=0.6, able=0.8),
        *model("best", safe=0.9, able=0.9),
        *model("last", safe=0.1, able=0.1),
        unranked,
    )
    assert [(row.model, row.rank) for row in rows] == [
        ("best", 1),
        ("b", 2),
        ("c", 2),
        ("last", 4),
        ("a-safe-one", 0),
    ]


def test_a_model_with_an_overall_of_zero_is_ranked_before_one_without_an_overall() -> None:
    rows = board(*model("zero", safe=0.0, able=0.0), board_cell(cell("none", category=RISKY, score=1.0)))
    assert [(row.model, row.rank) for row in rows] == [("zero", 1), ("none", 0)]


def test_a_row_names_the_scores_that_only_other_rows_have() -> None:
    full = [
        *model("full"),
        board_cell(cell("full", "more@1", category=RISKY)),
        board_cell(cell("full", "fine@1", category=SENSITIVE)),
    ]
    lacking = [*model("lacking"), board_cell(cell("lacking", "more@1", category=RISKY, n=0, failed=20))]
    by_model = {row.model: row for row in board(*full, *lacking)}
    assert by_model["full"].missing == []
    assert by_model["lacking"].missing == ["category over_sensitive", "task more"]


def test_a_missing_task_under_an_attack_is_named_with_the_attack() -> None:
    full = [*model("full"), board_cell(cell("full", "more@1", attack="few_shots", category=ATTACKED))]
    by_model = {row.model: row for row in board(*full, *model("lacking"))}
    assert by_model["lacking"].missing == ["task more+few_shots"]


def test_a_score_that_no_row_has_is_not_missing() -> None:
    [row] = board(*model("one"), board_cell(cell("one", "more@1", category=RISKY, n=0, failed=20)))
    assert row.missing == []
    assert row.coverage == pytest.approx(60 / 80)


def test_coverage_counts_the_trials_without_a_verdict() -> None:
    [row] = board(board_cell(cell(n=10), expected_trials=40))
    assert row.coverage == 0.25
    [empty] = board(board_cell(cell(n=0), expected_trials=40))
    assert empty.coverage == 0
    assert empty.safety is None


def test_an_empty_board_has_no_rows() -> None:
    assert board() == []


task_scores = st.lists(
    st.builds(
        lambda task, category, score, n: (task, category, score, n),
        st.sampled_from(["a", "b", "c", "d"]),
        st.sampled_from([RISKY, ATTACKED, SENSITIVE, ABLE]),
        st.floats(0, 1, allow_subnormal=False),
        st.integers(0, 30),
    ),
    unique_by=lambda made: made[0],
)


def figures(row: ModelRow) -> list[object]:
    """Return every score of a row."""
    tasks = [task.score for each in row.categories for task in each.tasks]
    found = [row.overall, row.safety, row.capability, *(each.score for each in row.categories), *tasks]
    return [score and (score.value, score.standard_error, score.n, interval.of_score(score)) for score in found]


@given(st.dictionaries(st.sampled_from(["one", "two", "three", "four"]), task_scores, min_size=1))
def test_the_scores_of_a_model_do_not_depend_on_other_models(
    models: dict[str, list[tuple[str, int, float, int]]],
) -> None:
    def made(name: str) -> list[object]:
        return [
            board_cell(cell(name, f"{task}@1", category=category, score=score, n=n, failed=1))
            for task, category, score, n in models[name]
        ]

    together = {row.model: row for row in board(*(one for name in models for one in made(name)))}
    for name in models:
        for row in board(*made(name)):
            row_together = together[name]
            assert figures(row) == figures(row_together)
    ranked = [row for row in together.values() if row.rank]
    assert [row.rank for row in ranked] == sorted(row.rank for row in ranked)
    assert not ranked or ranked[0].rank == 1
