from __future__ import annotations

import pytest

from libra.cli.files.capability_csv import MAX_BYTES, CapabilityRow, parse
from libra.core.errors import Invalid


def test_scores_are_read_with_their_lines() -> None:
    text = 'score,model,standard_error\r\n1287,gpt-x,3.5\n\n 1100 ,"a, b",\n'
    table = parse(b"\xef\xbb\xbf" + text.encode(), "scores.csv")
    assert table.rows == [CapabilityRow("gpt-x", 1287.0, 3.5, 2), CapabilityRow("a, b", 1100.0, None, 4)]


def test_the_standard_error_is_optional() -> None:
    assert parse(b"model,score\na,1\n", "scores.csv").rows == [CapabilityRow("a", 1.0, None, 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the column model is missing"),
        ("model,score\n", "x.csv has no scores"),
        ("model\na\n", "line 1: the column score is missing"),
        ("model,scroe\na,1\n", "line 1: there is no column 'scroe': did you mean score?"),
        ("model,score,score\na,1,2\n", "line 1: the column score is repeated"),
        ("model,score\na,1\nb,high\n", "line 3: score must be a number, not 'high'"),
        ("model,score\na,1\nb\n", "line 3: score must be a number, not ''"),
        ("model,score\na,nan\n", "line 2: score must be a finite number"),
        ("model,score\n,1\n", "line 2: model is empty"),
        ("model,score\na,1,2\n", "line 2: the line has more cells than the head line"),
        ("model,score\na,1\nb,2\na,3\n", "line 4: the model a is already in line 2"),
        ("model,score,standard_error\na,1,?\n", "line 2: standard_error must be a number, not '?'"),
        ('model,score\n"a,1\n', "the file is not valid CSV"),
        ("model,score\na,1\nb\udcff,2\n", "line 3: the file is not UTF-8: byte 17 is 0xff"),
    ],
)
def test_an_error_names_the_file_and_the_line(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text.encode(errors="surrogateescape"), "x.csv")
    assert message in str(caught.value)
    assert str(caught.value).startswith("x.csv")


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(Invalid, match="a file of capability scores has at most"):
        parse(b"x" * (MAX_BYTES + 1), "x.csv")


def test_fields_of_the_request_are_located_in_the_file() -> None:
    table = parse(b"model,score\n\na,1\nb,2\n", "x.csv")
    assert table.location_of("capabilities[1].published") == "x.csv, line 4: score"
    assert table.location_of("capabilities[0].model") == "x.csv, line 3: model"
    assert table.location_of("capabilities[0].one") == "--scale"
    assert table.location_of("capabilities") == "x.csv"
