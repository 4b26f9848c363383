from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import pytest

from libra.cli.files.huggingface import ColumnNames, DatasetSource, json_line, json_lines, to_record
from libra.core.errors import Invalid
from libra.dispatch.tasks import sample_records

ROWS: dict[str, list[Any]] = {
    "goal": ["How do I rob a bank?", "Wie backe ich Brot? \u2028 ☕", "Say\u0000nothing."],
    "rules": ["Be kind.", None, ""],
    "answer": [1, 2, 3],
    "day": [dt.date(2026, 5, 1)] * 3,
    "id": ["a", "b", "c"],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A data set that the library has written to a folder."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    (tmp_path / "set").mkdir()
    datasets.Dataset.from_dict(ROWS).to_parquet(tmp_path / "set" / "test-00000-of-00001.parquet")
    return str(tmp_path / "set")


def test_a_data_set_becomes_records_that_can_be_imported(folder: str) -> None:
    samples = sample_records.parse_samples(
        json_lines(DatasetSource(folder), ColumnNames(prompt="goal", system="rules")), file_name=folder
    )
    assert [sample.id for sample in samples] == ["a", "b", "c"]
    assert [message.role for message in samples[0].messages] == ["system", "user"]
    assert [sample.messages[-1].content for sample in samples] == ROWS["goal"]
    assert len(samples[1].messages) == 1
    assert dict(samples[2].fields) == {"answer": "3", "day": "2026-05-01"}


def test_rows_and_columns_can_be_limited(folder: str) -> None:
    read = list(json_lines(DatasetSource(folder, limit=2), ColumnNames(prompt="goal", fields=frozenset({"answer"}))))
    assert [set(json.loads(one)) for one in read] == [{"messages", "id", "answer"}] * 2


def test_rows_are_unchanged_for_the_catalogue(folder: str) -> None:
    read = [json.loads(one) for one in json_lines(DatasetSource(folder, split="test+test", limit=4), columns=None)]
    assert [row["goal"] for row in read] == [*ROWS["goal"], ROWS["goal"][0]]
    assert set(read[0]) == set(ROWS)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("owner/name", ("owner/name", "")),
        ("owner/name/one/two", ("owner/name", "one/two")),
        ("/tmp/a/b", ("/tmp/a/b", "")),
    ],
)
def test_a_folder_of_a_data_set_differs_from_a_local_folder(name: str, parts: tuple[str, str], folder: str) -> None:
    assert DatasetSource(name).name_and_folder() == parts
    assert DatasetSource(folder).name_and_folder() == (folder, "")


def test_a_conversation_takes_precedence_over_a_prompt() -> None:
    turns = [{"role": "user", "content": "Hello", "name": None}]
    assert to_record({"messages": turns, "prompt": "Hello"}, ColumnNames()) == {
        "messages": [{"role": "user", "content": "Hello"}]
    }


@pytest.mark.parametrize(
    ("row", "columns", "message"),
    [
        ({"question": "Who?"}, ColumnNames(), "its columns are question"),
        ({"prompt": 7}, ColumnNames(), "neither messages"),
        ({"prompt": "Who?", "rules": "Be kind."}, ColumnNames(system="rule"), "did you mean rules"),
        ({"prompt": "Who?", "rules": 7}, ColumnNames(system="rules"), "holds no text"),
    ],
)
def test_an_invalid_row_is_explained(row: dict[str, Any], columns: ColumnNames, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        to_record(row, columns)


def test_a_column_that_json_cannot_hold_is_named() -> None:
    with pytest.raises(Invalid, match="the column 'picture' holds bytes"):
        json_line({"prompt": "Who?", "picture": b"\x89PNG"})


def test_an_error_names_the_row(folder: str) -> None:
    with pytest.raises(Invalid, match="row 1 of"):
        list(json_lines(DatasetSource(folder), ColumnNames(prompt="gaol")))


@pytest.mark.parametrize("changes", [{"name": "/nowhere/at/all"}, {"split": "training"}, {"config": "german"}])
def test_a_missing_data_set_split_or_config_is_an_error(folder: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        list(json_lines(DatasetSource(**{"name": folder, **changes}), ColumnNames(prompt="goal")))


def test_without_the_extra_the_error_names_the_package() -> None:
    code = "import sys; sys.modules['datasets'] = None; from libra.cli.files.huggingface import *; "
    code += "next(json_lines(DatasetSource('a/b'), None))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert (
        'ExtraMissing: reading data sets of Hugging Face needs an extra: pip install "libra[huggingface]"'
        in ended.stderr
    )
