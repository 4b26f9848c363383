from __future__ import annotations

from pathlib import Path

import pytest

from libra.cli.files.label_csv import parse, read
from libra.core.errors import Invalid

HEAD = b"objective,assistant_response,human_score,data_type\n"


def test_rows_become_labelled_answers_and_other_columns_fields() -> None:
    data = b"# dataset_version=1.2\n# made by hand\n" + HEAD + b'"a, b","one\n# two\n\ntwo",1,benign\n\nc,,0,\n'
    one, two = parse(data, "mine.csv")
    assert (one.messages[0].role, one.messages[0].content, one.text) == ("user", "a, b", "one\n# two\n\ntwo")
    assert (one.positive, dict(one.fields)) == (True, {"data_type": "benign"})
    assert (two.text, two.positive, dict(two.fields)) == ("", False, {})


def test_labels_can_be_inverted(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes("\N{BYTE ORDER MARK}human_score,objective,assistant_response\r\n1.0,a,b\r\nFalse,a,b\r\n".encode())
    assert [answer.positive for answer in read(file)] == [True, False]
    assert [answer.positive for answer in read(file, invert=True)] == [False, True]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "mine.csv: the column objective is missing"),
        (b"objective,answer,human_score\na,b,1\n", "the column assistant_response is missing"),
        (HEAD, "no lines below its head line"),
        (b"# a comment\n" + HEAD + b"a,b,0.5,\n", "mine.csv, line 3: human_score is '0.5'; it must be 0 or 1"),
        (HEAD + b"a,b,1,x,y\n", "line 2: the line has more cells"),
        (HEAD + b"a,b\n", "line 2: human_score is None"),
        (HEAD + b'a,"b"c,1,\n', "after line 1: the file is not valid CSV"),
        (HEAD + b"a,\xff,1,\n", "line 2: the file is not UTF-8: byte"),
        (HEAD + b"x" * (15 * 1024**2), "larger than 15 MiB"),
    ],
)
def test_an_error_names_the_file_and_the_line(data: bytes, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(data, "mine.csv")
    assert message in caught.value.message
