"""The reports on finished runs, on a running system with the reference models."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from libra.cli.__main__ import main
from libra.local.system import System

Libra = Callable[..., str]


@pytest.fixture
def libra(system: System) -> Libra:
    system.up()

    def run(*arguments: object) -> str:
        command = ["--data", str(system.folder), *map(str, arguments)]
        result = CliRunner(env={"COLUMNS": "80"}).invoke(main, command)
        assert result.exit_code == 0, result.output
        assert max(map(len, result.stdout.splitlines()), default=0) <= 80 or "--json" in arguments, result.stdout
        return result.stdout

    return run


def parse(text: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def create_run(libra: Libra, *arguments: str) -> str:
    """Run two tasks to the end; return the id of the run."""
    options = ["--task", "dangerous_requests", "--task", "arithmetic", "--samples", "8", "--watch", "--json"]
    run: str = parse(libra("run", "create", *arguments, *options))["id"]
    return run


def test_finished_runs_can_be_reported_and_compared(libra: Libra, tmp_path: Path) -> None:
    run = create_run(libra, "--model", "refuser", "--model", "complier", "--attack", "none", "--attack", "few_shots")
    # How do the attacks compare?
    reports = parse(libra("attacks", "report", run, "--json"))["reports"]
    assert [(report["model"], report["attack"]) for report in reports] == [
        (model, attack) for model in ("complier", "refuser") for attack in ("none", "few_shots")
    ]
    assert [report["success"]["value"] for report in reports] == [1, 1, 0, 0]
    assert "few_shots" in libra("attacks", "report", run)
    # Is one model better than another?
    tasks = parse(libra("compare", "refuser", "complier", "--run", run, "--json"))["tasks"]
    assert {task["what"]: task["difference"]["value"] for task in tasks}["dangerous_requests"] == 1
    assert "refuser is better" in libra("compare", "refuser", "complier", "--run", run)
    # Is the second run of a model worse?
    again = create_run(libra, "--model", "refuser")
    assert "On no task is a difference shown" in libra(
        "compare", "refuser", "refuser", "--run", again, "--other-run", run
    )
    # How sensitive is the ranking to the weight of safety?
    ranges = parse(libra("board", "--weights", "--run", run, "--json"))["ranges"]
    assert (ranges[0]["low"], ranges[-1]["high"]) == (0, 1)
    assert "by capability" in libra("board", "--weights", "--run", run)
    # How do results differ by risk and language?
    groups = parse(libra("board", "--by", "risk", "--run", run, "--json"))["groups"]
    assert groups[0]["value"] == ""
    assert "refuser" in libra("board", "--by", "language", "--run", run)
    # And by hazard and technique?
    groups = parse(libra("board", "--by", "ailuminate", "--run", run, "--json"))["groups"]
    assert {group["value"]: group["title"] for group in groups}["vcr"] == "Violent Crimes"
    assert "a measure of capability" in " ".join(libra("board", "--by", "ailuminate", "--run", run).split())
    assert "LLM01 Prompt Injection" in libra("board", "--by", "owasp", "--run", run)
    assert "AML.T0054" in libra("attacks", "list", "--tags", "--family", "demonstration")
    # Which model is careful, and which only refuses?
    tradeoffs = parse(libra("board", "--tradeoff", "--run", run, "--json"))["tradeoffs"]
    assert {each["model"]: each["harm"]["value"] for each in tradeoffs} == {"refuser": 0, "complier": 1}
    assert "no score on over-sensitive tasks" in " ".join(libra("board", "--tradeoff", "--run", run).split())
    # Capability scores can be imported for models without a run.
    scores = tmp_path / "scores.csv"
    scores.write_text("model,score,standard_error\nelsewhere-a,900,7\nelsewhere-b,1400,7\n")
    assert "2 scores were imported" in libra("capability", "import", scores, "--scale", "elo:800:1500")
    assert "elo, 800 to 1500" in libra("capability", "list")


def test_people_label_a_part_of_the_answers_and_the_board_is_corrected(libra: Libra, tmp_path: Path) -> None:
    run = create_run(libra, "--model", "refuser", "--model", "complier", "--epochs", "2")
    file = tmp_path / "labels.csv"
    libra("labels", "draw", run, "--size", "50", "--task", "dangerous_requests", "--output", file)
    with file.open(newline="") as drawn:
        rows = list(csv.DictReader(drawn))
    assert len(rows) == 32
    assert all(row["assistant_response"] and row["objective"] for row in rows)
    # Unlike the judge, people find nothing wrong with one answer of the model that complies.
    complied = [row for row in rows if row["model"] == "complier"]
    for row in rows:
        row["human_score"] = "1" if row["model"] == "refuser" or row is complied[0] else "0"
    with file.open("w", newline="") as filled:
        writer = csv.DictWriter(filled, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert "32 new labels, 0 changed, 0 as before" in libra("labels", "import", run, file, "--author", "ann")
    assert "0 new labels, 0 changed, 32 as before" in libra("labels", "import", run, file, "--author", "ann")
    assert len(parse(libra("labels", "list", run, "--limit", "0", "--json"))["labels"]) == 32
    board = parse(libra("board", "--labels", "--run", run, "--json"))["board"]
    safety = {row["model"]: row["safety"]["value"] for row in board["rows"]}
    assert safety == {"refuser": 1, "complier": 1 / 16}
    assert any("2 scores are corrected by 32 labels" in note for note in board["notes"])
    assert "not corrected by labels" in libra("board", "--labels", "--run", run)
    assert "benchmark" in libra("board", "--benchmark-accuracy", "--run", run)
