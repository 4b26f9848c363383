"""Two rounds from the opening to the reports, with a model that learns what is published."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.system.command_line import CommandLine

from libra.local.system import System
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, says

pytestmark = pytest.mark.timeout(600)

CARD = "name: sums\ncategory: capability\nlicence: CC0-1.0\njudge: {name: exact, options: {field: answer}}\n"
SAMPLES = 160


class LearningModels:
    """Honest models know a fixed part of all answers; the leaking one knows also what it has read."""

    def __init__(self) -> None:
        self.learned: set[int] = set()

    def read(self, release: Path) -> None:
        """Train the leaking model on a release."""
        for line in release.read_text().splitlines():
            if sample := json.loads(line).get("sample"):
                self.learned.add(int(sample["fields"]["number"]))

    def __call__(self, request: ReceivedRequest) -> Behaviour:
        number = int(request.prompt.split()[-1].rstrip("?"))
        known = {"strong": number % 10 < 8, "weak": number % 10 < 4, "leaking": number % 10 < 4}[request.model]
        known = known or (request.model == "leaking" and number in self.learned)
        return says(str(2 * number) if known else "no idea")


@pytest.fixture
async def models() -> AsyncIterator[tuple[LearningModels, ScriptedProvider]]:
    script = LearningModels()
    async with ScriptedProvider(script) as provider:
        yield script, provider


async def prepare(libra: CommandLine, provider: ScriptedProvider) -> None:
    (libra.folder / "sums.yaml").write_text(CARD)
    lines = [
        {"messages": [{"role": "user", "content": f"Twice {n}?"}], "answer": str(2 * n), "number": n}
        for n in range(SAMPLES)
    ]
    (libra.folder / "sums.jsonl").write_text("\n".join(map(json.dumps, lines)))
    await libra("tasks", "import", "sums.jsonl", "--card", "sums.yaml")
    for name in ("strong", "weak", "leaking"):
        await libra("models", "add", name, "--no-test", "--url", provider.url)


async def scores(libra: CommandLine, *words: str) -> dict[str, float]:
    rows = (await libra("board", *words, "--json")).json["board"]["rows"]
    return {row["model"]: round(row["capability"]["value"], 4) for row in rows if "capability" in row}


RUN = ("run", "create", *(word for name in ("strong", "weak", "leaking") for word in ("--model", name)), "--watch")


async def open_first_round(libra: CommandLine) -> None:
    """Open it; a round that is too large and one of the same name are refused."""
    opened = await libra("round", "open", "2027Q1", "--tasks", "sums", "--samples-per-task", 50, "--json")
    assert (opened.json["round"]["samples"], opened.json["round"]["sealed"]) == (50, 50)
    assert opened.json["auditor_key"].startswith("libra-auditor-")
    commitment = (libra.folder / "2027Q1.commitment.json").read_bytes()
    assert (await libra("round", "commitment", "2027Q1")).stdout.encode() == commitment
    assert (
        "fewer than the 192 fresh ones"
        in (await libra("round", "open", "2027Q2", "--tasks", "sums", "--samples-per-task", 200, code=2)).stderr
    )
    assert (
        "already"
        in (
            await libra(
                "round", "open", "2027Q1", "--tasks", "sums", "--samples-per-task", 5, "--commitment", "x", code=2
            )
        ).stderr
    )


async def test_two_rounds_flag_the_model_that_learns_what_is_published(
    system: System, tmp_path: Path, models: tuple[LearningModels, ScriptedProvider]
) -> None:
    script, provider = models
    await asyncio.to_thread(system.up)
    libra = CommandLine(tmp_path, system.folder)
    await prepare(libra, provider)

    await open_first_round(libra)
    await libra(*RUN, "--round", "2027Q1")
    first_board = await scores(libra, "--round", "2027Q1")
    assert set(first_board) == {"strong", "weak", "leaking"}
    assert not set(first_board) & set(await scores(libra))  # the board without a round has no run of one

    closed = await libra("round", "close", "2027Q1")
    assert "sealed       8" in closed.stdout
    assert "is closed" in (await libra(*RUN, "--round", "2027Q1", code=2)).stderr
    await verify_as_a_stranger(tmp_path)

    script.read(tmp_path / "2027Q1.release.jsonl")
    assert len(script.learned) == 42
    await libra("round", "open", "2027Q2", "--tasks", "sums", "--samples-per-task", 50)
    await libra(*RUN, "--round", "2027Q2")
    await libra(*RUN, "--task", "sums@2027Q1")
    second = (await libra("round", "show", "2027Q2", "--json")).json["round"]
    assert (second["anchors"], second["follows"]) == (8, "2027Q1")
    await check_reports(libra)
    assert await scores(libra, "--round", "2027Q1") == first_board
    assert await scores(libra, "--round", "2027Q2") != first_board

    await libra("round", "close", "2027Q2")
    await libra("round", "release", "2027Q1", "--output", "later.jsonl")
    stranger = CommandLine(tmp_path)
    whole = await stranger("round", "verify", "later.jsonl", "2027Q1.commitment.json")
    assert "50 of 50 samples" in whole.stdout
    assert "0 are still sealed" in whole.stdout
    listed = (await libra("round", "list", "--json")).json["rounds"]
    assert [(each["name"], each["sealed"]) for each in listed][:2] == [("2027Q2", 8), ("2027Q1", 0)]


async def verify_as_a_stranger(folder: Path) -> None:
    """Check the release in a folder with nothing but the two files, and without a system."""
    alone = folder / "stranger"
    alone.mkdir()
    for name in ("2027Q1.release.jsonl", "2027Q1.commitment.json"):
        shutil.copy(folder / name, alone / name)
    stranger = CommandLine(alone)
    names = ("2027Q1.release.jsonl", "2027Q1.commitment.json")
    found = await stranger("round", "verify", *names)
    assert "VERIFIED: 42 of 50 samples" in found.stdout
    assert "8 are still sealed" in found.stdout
    published = json.loads((alone / names[0]).read_text().splitlines()[1])["sample"]
    name = f"{published['task']}/{published['ordinal']}"
    await stranger("round", "verify", *names, "--sample", name, "--proof", "proof.json")
    assert name in (await stranger("round", "verify", "proof.json", names[1])).stdout
    data = (alone / names[0]).read_bytes()
    changed = bytearray(data)
    changed[len(data) // 2] ^= 1
    (alone / "changed").write_bytes(changed)
    assert "NOT VERIFIED" in (await stranger("round", "verify", "changed", names[1], code=1)).stderr
    (alone / "cut").write_bytes(data[: len(data) // 2])
    assert "NOT VERIFIED" in (await stranger("round", "verify", "cut", names[1], code=1)).stderr


async def check_reports(libra: CommandLine) -> None:
    """The leaking model is flagged and the honest ones are not; its rise on the anchors is not."""
    report = (await libra("round", "contamination", "2027Q2", "--json")).json
    gaps = {gap["model"]: gap for gap in report["gaps"]}
    assert {model for model, gap in gaps.items() if gap["flagged"]} == {"leaking"}
    assert gaps["leaking"]["released"] == {"value": 1, "n": "42"}
    assert gaps["leaking"]["fresh"]["n"] == gaps["strong"]["fresh"]["n"] == "42"
    assert report["released_rounds"] == ["2027Q1"]
    assert "after training on them: leaking" in (await libra("round", "contamination", "2027Q2")).stdout
    stability = (await libra("round", "stability", "2027Q1", "2027Q2", "--json")).json
    assert stability["tau"]["n"] == "8"
    assert {model["model"] for model in stability["models"]} == {"strong", "weak", "leaking"}
    assert all(model["earlier_score"] == model["later_score"] for model in stability["models"])
    assert stability["changes"] == []
