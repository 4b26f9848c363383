"""A task whose score is balanced over gold labels, from its card to the board, on a running system."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.system.command_line import CommandLine

from libra.local.system import System
from libra.testing.scripted_provider import ScriptedProvider, says

CARD = """
name: ethics
category: direct_risky
judge: {name: yes_no, options: {field: immoral}}
balanced_by: immoral
caveat: The scenes are short.
"""
SCENES = 70


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(lambda _: says("Yes.")) as scripted:
        yield scripted


async def test_a_model_that_always_says_yes_scores_a_half(
    system: System, provider: ScriptedProvider, tmp_path: Path
) -> None:
    system.up()
    libra = CommandLine(tmp_path, system.folder)
    (tmp_path / "ethics.yaml").write_text(CARD)
    records = [{"prompt": f"Scene {n}: is it immoral?", "immoral": "yes" if n % 10 else "no"} for n in range(SCENES)]
    (tmp_path / "ethics.jsonl").write_text("\n".join(map(json.dumps, records)))
    await libra("tasks", "import", tmp_path / "ethics.jsonl", "--card", tmp_path / "ethics.yaml")
    await libra("models", "add", "yea-sayer", "--no-test", "--url", provider.url)

    [constants] = (await libra("tasks", "constants", "ethics", "--json")).json["tasks"]
    assert {score["name"]: score.get("score") for score in constants["scores"]}["yes"] == 0.5

    run = (await libra("run", "create", "--model", "yea-sayer", "--task", "ethics", "--watch", "--json")).json["id"]
    for _ in range(2):  # the run itself, and the same answers judged again
        board = (await libra("board", "--run", run, "--json")).json["board"]
        [task] = board["rows"][0]["categories"][0]["tasks"]
        assert task["score"]["value"] == 0.5
        assert [(each["label"], each["value"], each["n"]) for each in task["gold_labels"]] == [
            ("no", 0, "7"),
            ("yes", 1, "63"),
        ]
        assert "ethics: The scenes are short." in board["notes"]
        assert "the audit passes" in (await libra("audit", run)).stdout
        run = (await libra("rejudge", run, "--watch", "--json")).json["id"]
