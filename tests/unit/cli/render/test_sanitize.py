from __future__ import annotations

import pytest

from libra.cli.render.sanitize import duration, one_line, outcomes, plain, size
from libra.v1.run_pb2 import OutcomeCounts


def test_a_models_answer_cannot_write_commands_to_a_terminal() -> None:
    assert plain("a\x1b[31mred\x07\x7f\x9b\tb\r\nc\x00") == "a␛[31mred␇␡\ufffd\tb\nc␀"


def test_what_turns_the_direction_of_text_stands_as_its_number() -> None:
    assert plain("\u202etpmorp a\u202c \u2067x\u2069") == "[U+202E]tpmorp a[U+202C] [U+2067]x[U+2069]"
    assert plain("שלום\u200f!") == "שלום\u200f!"


def test_one_line_is_cut_where_it_must_end() -> None:
    assert one_line("a\n b\tc", 10) == "a b c"
    assert one_line("abcdefgh", 5) == "abcd…"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (90_061, "25 h 01 min"),
    ],
)
def test_durations_are_said_as_people_do(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_sizes_and_counts_too() -> None:
    assert [size(number) for number in (12, 2048, 50 << 20, 3 << 30)] == ["12 B", "2 KB", "50 MB", "3 GB"]
    assert outcomes(OutcomeCounts(scored=1200, failed=2)) == "1,200 scored, 2 failed"
    assert outcomes(OutcomeCounts()) == "none yet"
