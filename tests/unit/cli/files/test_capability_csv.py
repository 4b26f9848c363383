from __future__ import annotations

import pytest

from libra.cli.files.capability_csv import MAX_BYTES, Figure, parse
from libra.errors import Invalid


def test_figures_are_read_with_their_lines() -> None:
    text = 'score,model,standard_error\r\n1287,gpt-x,3.5\n\n 1100 ,"a, b",\n'
    figures = parse(b"\xef\xbb\xbf" + text.encode(), "scores.csv")
    assert figures.rows == [Figure("gpt-x", 1287.0, 3.5, 2), Figure("a, b", 1100.0, None, 4)]


def test_a_standard_error_need_not_be_there() -> None:
    assert parse(b"model,score\na,1\n", "scores.csv").rows == [Figure("a", 1.0, None, 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: it needs the column model"),
        ("model,score\n", "x.csv holds no figure"),
        ("model\na\n", "line 1: it needs the column score"),
        ("model,scroe\na,1\n", "line 1: there is no column 'scroe': did you mean score?"),
        ("model,score,score\na,1,2\n", "line 1: the column score stands there twice"),
        ("model,score\na,1\nb,high\n", "line 3: score must be a number, not 'high'"),
        ("model,score\na,1\nb\n", "line 3: score must be a number, not ''"),
        ("model,score\na,nan\n", "line 2: score must be a finite number"),
        ("model,score\n,1\n", "line 2: model is empty"),
        ("model,score\na,1,2\n", "line 2: it has more columns than the head"),
        ("model,score\na,1\nb,2\na,3\n", "line 4: a stands there twice, first in line 2"),
        ("model,score,standard_error\na,1,?\n", "line 2: standard_error must be a number, not '?'"),
        ('model,score\n"a,1\n', "it is not CSV"),
        ("model,score\na,1\nb\udcff,2\n", "line 3: it is not UTF-8: byte 17 is 0xff"),
    ],
)
def test_a_fault_is_named_with_file_and_line(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text.encode(errors="surrogateescape"), "x.csv")
    assert message in str(caught.value)
    assert str(caught.value).startswith("x.csv")


def test_a_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(Invalid, match="a file of figures has at most"):
        parse(b"x" * (MAX_BYTES + 1), "x.csv")


def test_the_services_fields_have_the_files_words() -> None:
    figures = parse(b"model,score\n\na,1\nb,2\n", "x.csv")
    assert figures.place("capabilities[1].published") == "x.csv, line 4: score"
    assert figures.place("capabilities[0].model") == "x.csv, line 3: model"
    assert figures.place("capabilities[0].one") == "--scale"
    assert figures.place("capabilities") == "x.csv"
