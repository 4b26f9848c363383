"""A year of a platform team: four rounds, a model that learns what is published, and a release that regresses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.system.command_line import CommandLine

from libra.local.system import System
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, says

pytestmark = pytest.mark.timeout(600)

ROUNDS = ("2028Q1", "2028Q2", "2028Q3", "2028Q4")
REGRESSION = "2028Q3"
SAMPLES = 220
ROUND_SAMPLES = 50
CARD = "name: NAME\ncategory: capability\nlicence: CC0-1.0\njudge: {name: exact, options: {field: answer}}\n"
POLICY = "name: yearly\ntasks: [yearly_checks]\nrules: [no task drops by more than 0.1]\n"


class Models:
    """The share of right answers of each model; the leaking one also knows what it has read."""

    def __init__(self) -> None:
        self.known = {"steady": 10, "candidate": 10, "learning": 4}
        """Of ten numbers, how many each model can double. Of all, no draw of samples shows a gap by chance."""

        self.learned: set[int] = set()

    def read(self, release: Path) -> None:
        """Train the leaking model on a release."""
        for line in release.read_text().splitlines():
            if sample := json.loads(line).get("sample"):
                self.learned.add(int(sample["fields"]["number"]))

    def __call__(self, request: ReceivedRequest) -> Behaviour:
        words = request.prompt.rstrip("?").split()
        number = int(words[-1])
        has_read = request.model == "learning" and words[0] == "Doubled:" and number in self.learned
        return says(str(2 * number) if has_read or number % 10 < self.known[request.model] else "no idea")


@pytest.fixture
async def models() -> AsyncIterator[tuple[Models, ScriptedProvider]]:
    script = Models()
    async with ScriptedProvider(script) as provider:
        yield script, provider


async def prepare(libra: CommandLine, provider: ScriptedProvider) -> None:
    """Import the task of the rounds and that of the gate, and register the models."""
    for name, question in (("yearly_sums", "Doubled:"), ("yearly_checks", "Double")):
        lines = [
            {"messages": [{"role": "user", "content": f"{question} {n}?"}], "answer": str(2 * n), "number": n}
            for n in range(SAMPLES)
        ]
        (libra.folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
        (libra.folder / f"{name}.yaml").write_text(CARD.replace("NAME", name))
        await libra("tasks", "import", f"{name}.jsonl", "--card", f"{name}.yaml")
    (libra.folder / "gate.yaml").write_text(POLICY)
    for name in ("steady", "candidate", "learning"):
        await libra("models", "add", name, "--no-test", "--url", provider.url)


async def check_releases(libra: CommandLine, baseline: str, *, is_regressed: bool) -> str:
    """Run the gate on the steady model and on the release; return the run."""
    words = ("run", "create", "--model", "steady", "--model", "candidate", "--task", "yearly_checks", "--fresh")
    run: str = (await libra(*words, "--watch", "--json")).json["id"]
    if baseline:
        for model, code in (("steady", 0), ("candidate", 1 if is_regressed else 0)):
            await libra("gate", "check", "gate.yaml", model, "--run", run, "--baseline-run", baseline, code=code)
    return run


async def test_a_year_flags_the_leak_stops_the_regression_and_passes_what_is_unchanged(
    system: System, tmp_path: Path, models: tuple[Models, ScriptedProvider]
) -> None:
    script, provider = models
    await asyncio.to_thread(system.up)
    libra, stranger = CommandLine(tmp_path, system.folder), CommandLine(tmp_path)
    await prepare(libra, provider)
    boards: dict[str, str] = {}
    baseline = ""
    for number, name in enumerate(ROUNDS):
        await libra("round", "open", name, "--tasks", "yearly_sums", "--samples-per-task", ROUND_SAMPLES)
        chosen = [word for model in ("steady", "candidate", "learning") for word in ("--model", model)]
        await libra("run", "create", *chosen, "--round", name, "--watch")
        if number:
            await libra("run", "create", *chosen, "--task", f"yearly_sums@{ROUNDS[number - 1]}", "--watch")
            gaps = (await libra("round", "contamination", name, "--json")).json["gaps"]
            assert {gap["model"] for gap in gaps if gap["flagged"]} == {"learning"}, name
        script.known["candidate"] = 6 if name == REGRESSION else 10
        run = await check_releases(libra, baseline, is_regressed=name == REGRESSION)
        script.known["candidate"] = 10  # the regressed version is not released
        baseline = baseline or run
        boards[name] = (await libra("board", "--round", name, "--format", "csv")).stdout
        await libra("round", "close", name)
        verified = await stranger("round", "verify", f"{name}.release.jsonl", f"{name}.commitment.json")
        assert "VERIFIED" in verified.stdout
        script.read(tmp_path / f"{name}.release.jsonl")
    for name in ROUNDS:
        assert (await libra("board", "--round", name, "--format", "csv")).stdout == boards[name]
