from __future__ import annotations

import csv
import io

from tests.unit.cli.board_fixture import BOARD, row

from libra.cli.render.board.board_export import board_csv, board_markdown
from libra.v1.ranking_pb2 import Board


def test_csv_has_the_scores_with_all_digits() -> None:
    first, second, third = csv.DictReader(io.StringIO(board_csv(BOARD)))
    assert (first["rank"], first["rank_low"], first["rank_high"]) == ("1", "1", "2")
    assert (first["overall"], first["overall_low"], first["overall_high"]) == ("0.7878", "0.764", "0.8101")
    assert float(first["over_sensitive_standard_error"]) == (1.0 - 0.862) / 4
    assert (first["overall_by_sum"], first["rank_by_sum"]) == ("0.85", "6")
    assert (first["overall_by_norm_low"], first["rank_by_norm"]) == ("0.8312", "7")
    assert first["judges"] == "refusal 2 (0123456789ab)"
    assert (first["capability_source"], first["missing"]) == ("tasks", "")
    assert second["missing"] == "task harm; task fraud"
    assert second["capability_source"] == "elo, 800 to 1500, from scores.csv"
    assert (third["rank"], third["rank_low"], third["overall"], third["failed"]) == ("", "", "", "5")
    assert None not in first


def test_markdown_escapes_the_names_of_models() -> None:
    lines = board_markdown(Board(rows=[row(1, "a|b")])).splitlines()
    assert lines[0].startswith("| # | ranks | model | overall (95 %) |")
    assert lines[2].startswith("| 1 | 1-2 | a\\|b | 78.8 (76.4-81.0) | 90.0 (81.0-95.0) | 100 (86.2-100) |")
    assert "| 85.0 | 6 | 85.2 | 7 | 100% | 123 |" in lines[2]
    assert {line.count(" | ") - line.count("\\| ") for line in lines[:3]} == {lines[0].count(" | ")}


def test_markdown_has_all_footnotes() -> None:
    text = board_markdown(BOARD)
    assert "capability of an-organisation-with-a-long-name-instruct-v2: elo, 800 to 1500" in text
    assert "\\* silent: 0% of its trials count (5 failed)" in text
    assert "reading@0123 was left out" in text
    assert "judge refusal 2 (0123456789ab): task-1, task-2, task-3, task-4" in text
