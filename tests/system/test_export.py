"""`libra export` on a real run: every format is complete, and follows its schema."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import jsonschema
import pyarrow.parquet
import pytest
import yaml
from click.testing import CliRunner, Result
from tests.data_files import DATA

from libra.cli.__main__ import main
from libra.local.system import System

MODELS = ("careful", "complier")
TASKS = ("privacy_requests", "arithmetic")
SAMPLES = 6
SCHEMAS = DATA / "every_eval_ever"


def libra(system: System, *arguments: object) -> Result:
    result = CliRunner(env={"LIBRA_DATA": str(system.folder)}).invoke(main, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def run(system: System) -> str:
    system.up()
    models = [part for model in MODELS for part in ("--model", model)]
    tasks = [part for task in TASKS for part in ("--task", task)]
    attacks = ["--attack", "none", "--attack", "few_shots"]
    reply = libra(system, "run", "create", *models, *tasks, *attacks, "--samples", SAMPLES, "--watch", "--json")
    found: str = json.loads(reply.stdout)["id"]
    return found


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_table_has_a_row_for_each_verdict(system: System, run: str, form: str, tmp_path: Path) -> None:
    path = tmp_path / f"verdicts.{form}"
    libra(system, "export", run, "--format", form, "--full", "--output", path)
    if form == "csv":
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    elif form == "jsonl":
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    else:
        rows = pyarrow.parquet.read_table(path).to_pylist()
    assert len(rows) == len(MODELS) * (len(TASKS) + 1) * SAMPLES
    assert {(row["model"], row["outcome"]) for row in rows} == {(model, "scored") for model in MODELS}
    assert all(json.loads(row["prompt"])[-1]["role"] == "user" and row["answer"] for row in rows)
    assert [path.name for path in tmp_path.iterdir()] == [path.name]


def test_every_eval_ever_follows_its_schemas(system: System, run: str, tmp_path: Path) -> None:
    libra(system, "export", run, "--format", "eee", "--output", tmp_path, "--organization", "Testers")
    evaluation, sample = (
        jsonschema.Draft7Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text()))
        for name in ("eval", "instance_level_eval")
    )
    documents = sorted(tmp_path.glob("data/libra/*/*/*.json"))
    assert [path.parent.name for path in documents] == list(MODELS)
    for path in documents:
        document = json.loads(path.read_text(encoding="utf-8"))
        evaluation.validate(document)
        detailed = document["detailed_evaluation_results"]
        content = (tmp_path / detailed["file_path"]).read_bytes()
        assert detailed["checksum"] == hashlib.sha256(content).hexdigest()
        samples = [json.loads(line) for line in content.splitlines()]
        assert detailed["total_rows"] == len(samples) == (len(TASKS) + 1) * SAMPLES
        for each in samples:
            sample.validate(each)
            assert (each["evaluation_id"], each["model_id"]) == (
                document["evaluation_id"],
                document["model_info"]["id"],
            )
        results = {each["evaluation_result_id"]: each["score_details"] for each in document["evaluation_results"]}
        assert {each["evaluation_result_id"] for each in samples} < set(results)
        for name in ("libra/overall", "libra/safety", "libra/capability"):
            assert 0 <= results[name]["score"] <= 1


def test_the_same_run_has_the_same_files_twice(system: System, run: str, tmp_path: Path) -> None:
    contents = []
    for name in ("first", "second"):
        libra(system, "export", run, "--format", "eee", "--output", tmp_path / name)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        contents.append([(path.relative_to(tmp_path / name), path.read_bytes()) for path in files])
    assert contents[0] == contents[1]


def test_eval_results_hold_plain_tasks_of_the_hub(system: System, run: str, tmp_path: Path) -> None:
    output = libra(system, "export", run, "--format", "hf", "--output", tmp_path).output
    assert "scores are left out" in output
    for path in tmp_path.rglob("*.yaml"):
        (entry,) = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert "/" in entry["dataset"]["id"]
        assert 0 <= entry["value"] <= 100


def test_a_folder_that_cannot_be_written_is_named(system: System, run: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    arguments = ["export", run, "--output", str(tmp_path / "file" / "a.jsonl")]
    result = CliRunner(env={"LIBRA_DATA": str(system.folder)}).invoke(main, arguments)
    assert result.exit_code == 2
    assert "cannot be written: Not a directory" in result.output


@pytest.mark.parametrize(("form", "suffix"), [("html", "html"), ("markdown", "md")])
def test_a_report_is_one_file_with_every_part(system: System, run: str, form: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"report.{suffix}"
    libra(system, "report", run, "--format", form, "--output", path, "--answers", 5)
    text = path.read_text(encoding="utf-8")
    for part in ("Design", "Tasks", "Judges", "Scores by task", "Cost", "What was not measured", "Answers"):
        assert part in text
    assert all(model in text for model in MODELS)
    assert text.count("careful answers") + text.count("complier answers") == 5
    libra(system, "report", run, "--format", form, "--output", path, "--answers", 0)
    assert "No answers are shown" in path.read_text(encoding="utf-8")
