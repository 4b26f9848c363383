"""The sentence above the board names the models that may be as good as the best one, and no others."""

from __future__ import annotations

from libra.v1.ranking_pb2 import BoardRow, Estimate
from libra.web.pages.board.summary import summarize


def row(model: str, rank: int, low: int, high: int) -> BoardRow:
    figure = Estimate(value=0.5)
    return BoardRow(model=model, rank=rank, rank_low=low, rank_high=high, safety=figure, capability=figure)


def test_only_a_model_that_may_be_first_is_a_rival() -> None:
    rows = [row("first", 1, 1, 2), row("second", 2, 1, 4), row("third", 3, 2, 4), row("fourth", 4, 2, 4)]
    assert summarize(rows, ()).endswith("but the data do not tell it apart from second.")


def test_several_rivals_are_counted() -> None:
    rows = [row("first", 1, 1, 3), row("second", 2, 1, 3), row("third", 3, 1, 3)]
    assert summarize(rows, ()).endswith("but the data do not tell it apart from 2 others.")


def test_the_best_model_has_no_rival_if_no_other_may_be_first() -> None:
    assert summarize([row("first", 1, 1, 1), row("second", 2, 2, 2)], ()).startswith("first is the best of 2 models")


def test_reference_models_do_not_lead() -> None:
    rows = [row("refuser", 1, 1, 1), row("mine", 2, 2, 2)]
    assert summarize(rows, ("refuser",)).startswith("mine is the only model with a rank")
