from __future__ import annotations

import csv
import io

import pytest
from rich.console import Console

from libra.cli.board_text import csv_of, markdown_of, points, remarks, sure, table_of
from libra.v1.ranking_pb2 import Board, BoardRow, CategoryScore, Estimate
from libra.v1.run_pb2 import OutcomeCounts
from libra.v1.task_pb2 import Category

SAFETY = (
    Category.CATEGORY_DIRECT_RISKY,
    Category.CATEGORY_ADVERSARIAL,
    Category.CATEGORY_INSTRUCTION_HIERARCHY,
    Category.CATEGORY_OVER_SENSITIVE,
)


def row(rank: int, model: str, *, coverage: float = 1.0, missing: tuple[str, ...] = ()) -> BoardRow:
    estimate = Estimate(value=1.0, standard_error=0.123, n=24)
    return BoardRow(
        rank=rank,
        model=model,
        overall=Estimate(value=0.7878, standard_error=0.0123, n=120),
        safety=Estimate(value=0.9, standard_error=0.02, n=96),
        capability=estimate,
        categories=[CategoryScore(category=category, score=estimate) for category in SAFETY],
        coverage=coverage,
        counts=OutcomeCounts(scored=120, failed=3),
        missing=missing,
    )


BOARD = Board(
    rows=[
        row(1, "SmolLM2-135M-Instruct"),
        row(2, "an-organisation-with-a-long-name-instruct-v2", coverage=0.975, missing=("no over_sensitive task",)),
        BoardRow(model="silent", coverage=0.0, counts=OutcomeCounts(failed=5)),
    ],
    notes=["reading@0123 was left out: a newer version of it is there"],
)


def printed(board: Board, width: int) -> list[str]:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table_of(board, width))
    return console.export_text().splitlines()


@pytest.mark.parametrize("width", [80, 100, 160])
def test_a_board_fits_the_terminal_and_loses_no_number(width: int) -> None:
    lines = printed(BOARD, width)
    text = "\n".join(lines)
    assert max(map(len, lines)) <= width
    assert "…" not in text
    for number in ("78.8±1.2", "90.0±2.0", "100±12", "123"):
        assert number in text


def test_a_row_that_is_not_like_the_others_is_marked_and_explained() -> None:
    assert "v2 *" in "\n".join(printed(BOARD, 160))
    said = "\n".join(remarks(BOARD)).replace("\n", " ")
    assert "no over_sensitive task" in said
    assert "98% of its trials count (120 scored, 3 failed)" in said
    assert "* silent: 0% of its trials count (5 failed)" in said
    assert "note: reading@0123 was left out" in said
    assert remarks(Board()) == []


def test_csv_holds_the_scores_in_full() -> None:
    first, second, third = csv.DictReader(io.StringIO(csv_of(BOARD)))
    assert first["rank"] == "1"
    assert float(first["overall"]) == 0.7878
    assert float(first["over_sensitive_standard_error"]) == 0.123
    assert second["missing"] == "no over_sensitive task"
    assert (third["rank"], third["overall"], third["failed"]) == ("", "", "5")


def test_markdown_is_a_table_whatever_a_model_is_called() -> None:
    lines = markdown_of(Board(rows=[row(1, "a|b")])).splitlines()
    assert lines[0].startswith("| # | model | overall |")
    assert "| 1 | a\\|b | 78.8 ± 1.2 |" in lines[2]
    assert len(lines) == 3


def test_scores_are_short() -> None:
    assert points(None) == "-"
    assert points(Estimate(value=0.9996)) == "100"
    assert sure(Estimate(value=0.5)) == "50.0"
    assert sure(Estimate(value=0.5, standard_error=0.0)) == "50.0±0.0"
