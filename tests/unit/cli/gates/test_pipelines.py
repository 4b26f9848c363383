"""The pipelines in examples/ are valid YAML of their kind, and every command of Libra in them exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from libra.cli.__main__ import main

ROOT = Path(__file__).parents[4]
GITHUB, GITLAB = ROOT / "examples" / "gate_github.yaml", ROOT / "examples" / "gate_gitlab.yaml"
GITLAB_KEYWORDS = {"stages", "variables"}


def load(path: Path) -> Any:
    # BaseLoader: YAML 1.1 would read the key `on` as true.
    return yaml.load(path.read_text(), yaml.BaseLoader)


def scripts(path: Path) -> list[str]:
    """Return every command line of a pipeline."""
    pipeline = load(path)
    if path == GITHUB:
        return [step["run"] for job in pipeline["jobs"].values() for step in job["steps"] if "run" in step]
    return [line for name, job in pipeline.items() if name not in GITLAB_KEYWORDS for line in job["script"]]


def commands(path: Path) -> list[list[str]]:
    found = [part for script in scripts(path) for part in script.split("&&")]
    lines = [re.sub(r">\s*\S+$", "", part.strip()) for part in found if part.strip().startswith("libra ")]
    return [shlex.split(line.replace('"$MODEL"', "mine"))[1:] for line in lines]


@pytest.mark.parametrize("path", [GITHUB, GITLAB], ids=["github", "gitlab"])
def test_every_command_of_a_pipeline_is_valid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = commands(path)
    assert any(words[:2] == ["gate", "check"] for words in found)
    for words in found:
        command: click.Command | None = main
        while isinstance(command, click.Group):
            command = command.get_command(click.Context(main), words.pop(0))
        assert command
        with command.make_context("libra", words):
            pass  # every argument and option is valid


def test_the_github_workflow_has_the_parts_that_github_requires() -> None:
    workflow = load(GITHUB)
    assert {"name", "on", "jobs", "permissions"} <= workflow.keys()
    for job in workflow["jobs"].values():
        assert job["runs-on"]
        assert all(("uses" in step) != ("run" in step) for step in job["steps"])
    reports = [step for step in workflow["jobs"]["gate"]["steps"] if "uses" in step or "gh pr" in step["run"]]
    assert all(step.get("if", "").startswith("always()") for step in reports[2:])  # a NO-GO is reported as well


def test_the_gitlab_pipeline_has_the_parts_that_gitlab_requires() -> None:
    pipeline = load(GITLAB)
    jobs = {name: job for name, job in pipeline.items() if name not in GITLAB_KEYWORDS}
    assert {job["stage"] for job in jobs.values()} == set(pipeline["stages"])
    assert jobs["gate"]["artifacts"]["when"] == "always"
    written = " ".join(jobs["gate"]["script"])
    assert f"junit={jobs['gate']['artifacts']['reports']['junit']}" in written
