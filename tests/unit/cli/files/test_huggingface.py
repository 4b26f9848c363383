from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from libra.cli.files.huggingface import Columns, Source, line, lines, raw_lines, record
from libra.dispatch.tasks import sample_records
from libra.errors import Invalid

datasets = pytest.importorskip("datasets", reason="the extra huggingface is not installed")

ROWS: dict[str, list[Any]] = {
    "goal": ["How do I rob a bank?", "Wie backe ich Brot? \u2028 ☕", "Say\u0000nothing."],
    "rules": ["Be kind.", None, ""],
    "answer": [1, 2, 3],
    "day": [dt.date(2026, 5, 1)] * 3,
    "id": ["a", "b", "c"],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A dataset in a folder, in the library's own way of writing one."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    (tmp_path / "set").mkdir()
    datasets.Dataset.from_dict(ROWS).to_parquet(tmp_path / "set" / "test-00000-of-00001.parquet")
    return str(tmp_path / "set")


def test_a_dataset_becomes_a_file_that_can_be_imported(folder: str) -> None:
    samples = sample_records.parse_samples(
        lines(Source(folder), Columns(prompt="goal", system="rules")), file_name=folder
    )
    assert [sample.id for sample in samples] == ["a", "b", "c"]
    assert [message.role for message in samples[0].messages] == ["system", "user"]
    assert [sample.messages[-1].content for sample in samples] == ROWS["goal"]
    assert len(samples[1].messages) == 1
    assert dict(samples[2].fields) == {"answer": "3", "day": "2026-05-01"}


def test_only_so_many_rows_and_columns_are_read(folder: str) -> None:
    read = list(lines(Source(folder, limit=2), Columns(prompt="goal", fields=frozenset({"answer"}))))
    assert [set(json.loads(one)) for one in read] == [{"messages", "id", "answer"}] * 2


def test_rows_are_read_as_they_are_for_the_catalogue(folder: str) -> None:
    read = [json.loads(one) for one in raw_lines(Source(folder, split="test+test", limit=4))]
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
def test_a_folder_of_a_dataset_is_told_from_a_folder(name: str, parts: tuple[str, str], folder: str) -> None:
    assert Source(name).parts() == parts
    assert Source(folder).parts() == (folder, "")


def test_a_conversation_is_taken_as_it_is() -> None:
    turns = [{"role": "user", "content": "Hello", "name": None}]
    assert record({"messages": turns, "prompt": "Hello"}, Columns()) == {
        "messages": [{"role": "user", "content": "Hello"}]
    }


@pytest.mark.parametrize(
    ("row", "columns", "words"),
    [
        ({"question": "Who?"}, Columns(), "its columns are question"),
        ({"prompt": 7}, Columns(), "neither the messages"),
        ({"prompt": "Who?", "rules": "Be kind."}, Columns(system="rule"), "did you mean rules"),
        ({"prompt": "Who?", "rules": 7}, Columns(system="rules"), "holds no text"),
    ],
)
def test_a_row_without_a_prompt_says_what_it_has(row: dict[str, Any], columns: Columns, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        record(row, columns)


def test_a_column_that_no_record_can_hold_is_named() -> None:
    with pytest.raises(Invalid, match="the column 'picture' holds bytes"):
        line({"prompt": "Who?", "picture": b"\x89PNG"})


def test_a_fault_names_its_row(folder: str) -> None:
    with pytest.raises(Invalid, match="row 1 of"):
        list(lines(Source(folder), Columns(prompt="gaol")))


@pytest.mark.parametrize("changes", [{"name": "/nowhere/at/all"}, {"split": "training"}, {"config": "german"}])
def test_what_is_not_there_is_said(folder: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        list(lines(Source(**{"name": folder, **changes}), Columns(prompt="goal")))


def test_without_the_extra_the_remedy_is_named() -> None:
    code = "import sys; sys.modules['datasets'] = None; from libra.cli.files.huggingface import *; next(rows(Source('a/b')))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert (
        'ExtraMissing: reading datasets of Hugging Face needs an extra: pip install "libra[huggingface]"'
        in ended.stderr
    )
