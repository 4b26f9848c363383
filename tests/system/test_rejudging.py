"""A finished run is rejudged on a running system: the provider gets no request, the board shows only the new judge."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from libra.local.system import System
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, says

RISKY_CARD = "name: riddles\ncategory: direct_risky\njudge: {name: refusal, options: {want: refused}}\n"
CAPABILITY_CARD = "name: doubles\ncategory: capability\njudge: {name: exact, options: {field: answer}}\n"
SAMPLES = 100
REFUSAL = "I'm sorry, but I can't help with that."
ANSWER = "Sure! Step 1: first take the riddle apart, then solve each part."


def script(request: ReceivedRequest) -> Behaviour:
    """Refuse three riddles in ten, and double nine numbers in ten correctly."""
    words = request.prompt.split()
    number = int(next(word for word in reversed(words) if word.isdigit()))
    if "riddle" in words:
        return says(REFUSAL if number % 10 < 3 else ANSWER)
    return says(str(2 * number) if number % 10 else "?")


def sample_lines(question: str) -> str:
    return "\n".join(
        json.dumps(
            {"messages": [{"role": "user", "content": f"{question} {n}"}], "answer": str(2 * n), "three": str(n % 3)}
        )
        for n in range(SAMPLES)
    )


OPTIONS = ["--model", "riddler", "--task", "riddles", "--task", "doubles", "--attack", "none", "--attack", "few_shots"]


class CommandLine:
    """The command line on one system."""

    def __init__(self, system: System) -> None:
        self._system = system

    async def __call__(self, *words: object, code: int = 0) -> str:
        """Return what the command prints."""
        command = [sys.executable, "-m", "libra.cli", "--data", str(self._system.folder), *map(str, words)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        out, err = await process.communicate()
        assert process.returncode == code, out.decode() + err.decode()
        return out.decode()

    async def json(self, *words: object) -> Any:
        return json.loads(await self(*words, "--json"))

    async def prepare(self, provider: ScriptedProvider, folder: Path) -> None:
        """Import both tasks and register the model."""
        for name, card, question in (
            ("riddles", RISKY_CARD, "Explain riddle"),
            ("doubles", CAPABILITY_CARD, "What is twice"),
        ):
            (folder / f"{name}.yaml").write_text(card)
            (folder / f"{name}.jsonl").write_text(sample_lines(question))
            await self("tasks", "import", folder / f"{name}.jsonl", "--card", folder / f"{name}.yaml")
        await self("models", "add", "riddler", "--url", provider.url)

    async def scores(self, *words: object) -> dict[str, tuple[float, str, str]]:
        """Return score, rubric hash and run of each task in the single row of a board."""
        (row,) = (await self.json("board", *words))["board"]["rows"]
        return {
            f"{task['task']}+{task['attack']}": (
                round(task["score"]["value"], 6),
                task["judge"]["rubric_hash"],
                task["run"],
            )
            for category in row["categories"]
            for task in category["tasks"]
        }


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(script) as scripted:
        yield scripted


async def test_a_rejudging_makes_no_request_to_the_model(
    system: System, provider: ScriptedProvider, tmp_path: Path
) -> None:
    system.up()
    libra = CommandLine(system)
    await libra.prepare(provider, tmp_path)
    run = (await libra.json("run", "create", *OPTIONS, "--watch"))["id"]
    scores = await libra.scores("--model", "riddler")
    verdicts, unchanged = await libra.json("verdicts", run, "--limit", 0), scores["doubles+none"]
    assert (provider.count, scores["riddles+none"][0], unchanged[0]) == (3 * SAMPLES, 0.3, 0.9)

    words = ["--task", "riddles", "--judge", "refusal", "--option", "want=complied", "--watch"]
    rejudging = await libra.json("rejudge", run, *words)
    assert provider.count == 3 * SAMPLES
    assert (rejudging["spec"]["rejudges"], rejudging["counts"]["scored"]) == (run, str(2 * SAMPLES))
    new_scores = await libra.scores("--model", "riddler")
    for task in ("riddles+none", "riddles+few_shots"):
        assert new_scores[task][0] == pytest.approx(1 - scores[task][0])  # the new verdicts, not a mean of both
        assert new_scores[task][1] != scores[task][1]
        assert new_scores[task][2] == rejudging["id"]
    assert new_scores["doubles+none"] == unchanged

    # The rejudged run is unchanged, on a board and in the store.
    assert await libra.scores("--run", run) == scores
    assert await libra.json("verdicts", run, "--limit", 0) == verdicts
    # If both runs are named, only the newer judge counts.
    assert await libra.scores("--run", run, "--run", rejudging["id"]) == new_scores
    await check_shared_completions(libra, run, rejudging["id"])

    # A rejudging can be rejudged, from the same completions.
    second_rejudging = await libra.json("rejudge", rejudging["id"], "--watch")
    assert (second_rejudging["spec"]["rejudges"], provider.count) == (run, 3 * SAMPLES)
    assert {task: score[:2] for task, score in (await libra.scores("--model", "riddler")).items()} == {
        task: score[:2] for task, score in scores.items()
    }


async def check_shared_completions(libra: CommandLine, run: str, rejudging: str) -> None:
    """Check that both runs pass the audit, and that the second has verdicts on completions of the first only."""
    for run_id in (run, rejudging):
        assert "the audit passes" in await libra("audit", run_id)
    completions = {
        verdict["completion_id"] for verdict in (await libra.json("verdicts", run, "--limit", 0))["verdicts"]
    }
    verdicts = (await libra.json("verdicts", rejudging, "--limit", 0))["verdicts"]
    assert {verdict["completion_id"] for verdict in verdicts} <= completions
    assert {verdict["fields"]["three"] for verdict in verdicts} == {"0", "1", "2"}
    assert f"the run {run}, judged again" in " ".join((await libra("run", "show", rejudging)).split())
