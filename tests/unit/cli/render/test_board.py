from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.table import Table
from tests.unit.cli.board_fixture import BOARD, row

from libra.cli.render.board.board import (
    board_table,
    footnotes,
    formulas_table,
    incomplete_rows,
    judges_table,
    rank_interval,
)
from libra.v1.ranking_pb2 import Board, BoardRow

MANY = Board(rows=[row(number, f"organisation-number-{number}-model-instruct") for number in range(10, 40)])
"""A board with ranks of two digits."""


def printed(table: Table, width: int) -> list[str]:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text().splitlines()


@pytest.mark.parametrize("board", [BOARD, MANY])
@pytest.mark.parametrize("width", [80, 110, 160])
def test_a_board_fits_the_terminal_with_all_its_numbers(board: Board, width: int) -> None:
    lines = printed(board_table(board, width), width)
    text = "\n".join(lines)
    assert max(map(len, lines)) <= width
    assert "…" not in text
    for number in ("78.8", "76.4-81.0", "90.0", "100"):
        assert number in text


def test_a_wide_terminal_shows_more_columns() -> None:
    narrow = "\n".join(printed(board_table(BOARD, 80), 80))
    wide = "\n".join(printed(board_table(BOARD, 120), 120))
    for number in ("81.0-95.0", "86.2-100", "123"):
        assert number not in narrow
        assert number in wide


@pytest.mark.parametrize("width", [80, 160])
def test_the_three_formulas_fit_the_terminal(width: int) -> None:
    lines = printed(formulas_table(BOARD, width), width)
    assert max(map(len, lines)) <= width
    assert "1 78.8 76.4-81.0" in " ".join(lines[2].split())
    assert "6 85.0 83.0-87.0" in " ".join(lines[2].split())
    assert "7 85.2 83.1-87.0" in " ".join(lines[2].split())


def test_judges_are_listed_with_their_tasks() -> None:
    lines = [" ".join(line.split()) for line in printed(judges_table(BOARD), 80)]
    assert lines[2] == "refusal 2 0123456789ab task-1, task-2, task-3, task-4"
    assert "Judged by refusal 2 (--judges" in "\n".join(footnotes(BOARD))
    assert "Judged by" not in "\n".join(footnotes(BOARD, with_judges=False))


def test_an_incomplete_row_is_marked_and_explained() -> None:
    assert "v2 *" in "\n".join(printed(board_table(BOARD, 160), 160))
    text = "\n".join(footnotes(BOARD))
    assert "v2: it lacks task harm, task fraud; 98% of its trials count" in text
    assert "(120 scored, 3 failed)" in text
    assert "* silent: 0% of its trials count (5 failed)" in text
    assert "note: reading@0123 was left out" in text
    assert footnotes(Board()) == []


def test_an_imported_capability_is_marked_and_its_source_is_named() -> None:
    assert "100i" in "\n".join(printed(board_table(BOARD, 80), 80))
    text = "\n".join(footnotes(BOARD))
    assert "i: capability of an-organisation-with-a-long-name-instruct-v2: elo, 800 to 1500, from scores.csv" in text


def test_one_possible_rank_is_no_interval() -> None:
    assert rank_interval(BoardRow()) == "-"
    assert rank_interval(BoardRow(rank=2, rank_low=1, rank_high=3)) == "1-3"
    assert rank_interval(BoardRow(rank=2, rank_low=2, rank_high=2)) == "2"


def test_a_long_list_of_missing_tasks_is_cut() -> None:
    missing = [f"task t{number}" for number in range(22)]
    board = Board(rows=[BoardRow(model="m", coverage=1, missing=missing)])
    assert incomplete_rows(board) == ["m: it lacks task t0, task t1, task t2, task t3 and 18 more (--json names them)"]
    del board.rows[0].missing[4:]
    assert incomplete_rows(board) == ["m: it lacks task t0, task t1, task t2, task t3"]
