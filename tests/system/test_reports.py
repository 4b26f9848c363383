"""The questions that one has of one's own runs, on a running system with the reference models."""

from __future__ import annotations

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

    def run(*words: object) -> str:
        command = ["--data", str(system.folder), *map(str, words)]
        result = CliRunner(env={"COLUMNS": "80"}).invoke(main, command)
        assert result.exit_code == 0, result.output
        assert max(map(len, result.stdout.splitlines()), default=0) <= 80 or "--json" in words, result.stdout
        return result.stdout

    return run


def told(text: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(text)
    return answer


def evaluated(libra: Libra, *words: str) -> str:
    """The id of a finished run on two tasks."""
    common = ["--task", "dangerous_requests", "--task", "arithmetic", "--samples", "8", "--watch", "--json"]
    run: str = told(libra("run", "create", *words, *common))["id"]
    return run


def test_ones_own_runs_answer_what_one_asks(libra: Libra, tmp_path: Path) -> None:
    run = evaluated(libra, "--model", "refuser", "--model", "complier", "--attack", "none", "--attack", "few_shots")
    # How do the attacks compare?
    reports = told(libra("attacks", "report", run, "--json"))["reports"]
    assert [(each["model"], each["attack"]) for each in reports] == [
        (model, attack) for model in ("complier", "refuser") for attack in ("none", "few_shots")
    ]
    assert [each["success"]["value"] for each in reports] == [1, 1, 0, 0]
    assert "few_shots" in libra("attacks", "report", run)
    # Is one model better than another?
    tasks = told(libra("compare", "refuser", "complier", "--run", run, "--json"))["tasks"]
    assert {task["what"]: task["difference"]["value"] for task in tasks}["dangerous_requests"] == 1
    assert "refuser is better" in libra("compare", "refuser", "complier", "--run", run)
    # Did the next run of it get worse?
    again = evaluated(libra, "--model", "refuser")
    assert "On no task is a difference shown" in libra(
        "compare", "refuser", "refuser", "--run", again, "--other-run", run
    )
    # How sensitive is the ranking to the weight of safety?
    ranges = told(libra("board", "--weights", "--run", run, "--json"))["ranges"]
    assert (ranges[0]["low"], ranges[-1]["high"]) == (0, 1)
    assert "by capability" in libra("board", "--weights", "--run", run)
    # How do results carry over?
    groups = told(libra("board", "--by", "risk", "--run", run, "--json"))["groups"]
    assert groups[0]["value"] == ""
    assert "refuser" in libra("board", "--by", "language", "--run", run)
    # And figures from elsewhere, for models that nobody evaluated here.
    scores = tmp_path / "scores.csv"
    scores.write_text("model,score,standard_error\nelsewhere-a,900,7\nelsewhere-b,1400,7\n")
    assert "2 figures were imported" in libra("capability", "import", scores, "--scale", "elo:800:1500")
    assert "elo, 800 to 1500" in libra("capability", "list")
