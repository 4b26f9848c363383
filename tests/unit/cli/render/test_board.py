from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.table import Table
from tests.unit.cli.boards import BOARD, row

from libra.cli.render.board import formulas_of, gaps, judges_of, points, ranks, remarks, span, table_of
from libra.v1.ranking_pb2 import Board, BoardRow, Estimate

MANY = Board(rows=[row(number, f"organisation-number-{number}-model-instruct") for number in range(10, 40)])
"""Whose ranks have two digits."""


def printed(table: Table, width: int) -> list[str]:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text().splitlines()


@pytest.mark.parametrize("board", [BOARD, MANY])
@pytest.mark.parametrize("width", [80, 110, 160])
def test_a_board_fits_the_terminal_and_loses_no_number(board: Board, width: int) -> None:
    lines = printed(table_of(board, width), width)
    text = "\n".join(lines)
    assert max(map(len, lines)) <= width
    assert "…" not in text
    for number in ("78.8", "76.4-81.0", "90.0", "100"):
        assert number in text


def test_a_wide_terminal_is_told_more() -> None:
    narrow = "\n".join(printed(table_of(BOARD, 80), 80))
    wide = "\n".join(printed(table_of(BOARD, 120), 120))
    for number in ("81.0-95.0", "86.2-100", "123"):
        assert number not in narrow
        assert number in wide


@pytest.mark.parametrize("width", [80, 160])
def test_the_other_formulas_fit_beside_each_other(width: int) -> None:
    lines = printed(formulas_of(BOARD, width), width)
    assert max(map(len, lines)) <= width
    assert "1 78.8 76.4-81.0" in " ".join(lines[2].split())
    assert "6 85.0 83.0-87.0" in " ".join(lines[2].split())
    assert "7 85.2 83.1-87.0" in " ".join(lines[2].split())


def test_judges_are_listed_with_what_they_judged() -> None:
    lines = [" ".join(line.split()) for line in printed(judges_of(BOARD), 80)]
    assert lines[2] == "refusal 2 0123456789ab task-1, task-2, task-3, task-4"
    assert "Judged by refusal 2 (--judges" in "\n".join(remarks(BOARD))
    assert "Judged by" not in "\n".join(remarks(BOARD, judges=False))


def test_a_row_that_is_not_like_the_others_is_marked_and_explained() -> None:
    assert "v2 *" in "\n".join(printed(table_of(BOARD, 160), 160))
    said = "\n".join(remarks(BOARD)).replace("\n", " ")
    assert "v2: it lacks task harm, task fraud; 98% of its trials count" in said
    assert "(120 scored, 3 failed)" in said
    assert "* silent: 0% of its trials count (5 failed)" in said
    assert "note: reading@0123 was left out" in said
    assert remarks(Board()) == []


def test_an_imported_capability_is_marked_and_its_source_is_named() -> None:
    assert "100i" in "\n".join(printed(table_of(BOARD, 80), 80))
    said = "\n".join(remarks(BOARD)).replace("\n", " ")
    assert "i: capability of an-organisation-with-a-long-name-instruct-v2: elo, 800 to 1500, from scores.csv" in said


def test_scores_are_short() -> None:
    assert points(None) == "-"
    assert points(Estimate(value=0.9996)) == "100"
    assert points(Estimate(value=0.5)) == "50.0"
    assert span(None) == "-"
    assert span(Estimate(value=0.5)) == "-"
    assert span(Estimate(value=1.0, low=0.9, high=1.0)) == "90.0-100"


def test_ranks_are_a_span_unless_they_are_one() -> None:
    assert ranks(BoardRow()) == "-"
    assert ranks(BoardRow(rank=2, rank_low=1, rank_high=3)) == "1-3"
    assert ranks(BoardRow(rank=2, rank_low=2, rank_high=2)) == "2"


def test_a_long_list_of_what_is_lacking_is_cut_short() -> None:
    missing = [f"task t{number}" for number in range(22)]
    board = Board(rows=[BoardRow(model="m", coverage=1, missing=missing)])
    assert gaps(board) == ["m: it lacks task t0, task t1, task t2, task t3 and 18 more (--json names them)"]
    del board.rows[0].missing[4:]
    assert gaps(board) == ["m: it lacks task t0, task t1, task t2, task t3"]
