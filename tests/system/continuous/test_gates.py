"""A gate on a running system: it stops a release that regresses, and passes one that is unchanged."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.system.command_line import CommandLine

from libra.local.system import System
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, says

CARD = "name: sums\ncategory: capability\njudge: {name: exact, options: {field: answer}}\n"
SAMPLES = 400
POLICY = """\
name: release
tasks: [sums]
rules:
  - capability >= 0.8
  - no task drops by more than 0.05
"""


class Release:
    """A model whose answers to some numbers are right: its share of right answers can be changed."""

    def __init__(self) -> None:
        order = list(range(SAMPLES))
        random.Random(1).shuffle(order)
        self._rank = {number: position for position, number in enumerate(order)}
        self.share = 0.92

    def __call__(self, request: ReceivedRequest) -> Behaviour:
        number = int(request.prompt.split()[-1])
        return says(str(number + 1) if self._rank[number] < self.share * SAMPLES else "?")


@pytest.fixture
def release() -> Release:
    return Release()


@pytest.fixture
async def provider(release: Release) -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(release) as scripted:
        yield scripted


async def prepare(libra: CommandLine, provider: ScriptedProvider, folder: Path) -> Path:
    """Import the task, register the model, and return the policy file."""
    (folder / "sums.yaml").write_text(CARD)
    records = [
        {"messages": [{"role": "user", "content": f"The number after {number}"}], "answer": str(number + 1)}
        for number in range(SAMPLES)
    ]
    (folder / "sums.jsonl").write_text("\n".join(map(json.dumps, records)))
    await libra("tasks", "import", folder / "sums.jsonl", "--card", folder / "sums.yaml")
    await libra("models", "add", "release", "--no-test", "--url", provider.url)
    policy = folder / "gate.yaml"
    policy.write_text(POLICY)
    return policy


async def test_a_release_that_regresses_is_stopped_and_an_unchanged_one_passes(
    system: System, release: Release, provider: ScriptedProvider, tmp_path: Path
) -> None:
    system.up()
    libra = CommandLine(tmp_path, system.folder)
    policy = await prepare(libra, provider, tmp_path)

    async def run(*options: object) -> str:
        words = ["run", "create", "--model", "release", "--task", "sums", "--fresh", *options, "--watch"]
        run_id: str = (await libra(*words, "--json")).json["id"]
        return run_id

    baseline = await run()
    unchanged = await run()
    table = await libra("gate", policy, "release", "--run", unchanged, "--baseline-run", baseline)
    assert "GO: release keeps every rule of release." in table.stdout

    few = await run("--samples", 15)
    shown = await libra("gate", policy, "release", "--run", few, "--baseline-run", baseline, code=3)
    assert "INCONCLUSIVE" in shown.stdout
    assert "more samples would decide" in " ".join(shown.stdout.split())

    release.share = 0.8
    regressed = await run()
    junit = tmp_path / "gate.xml"
    words = ["gate", "check", policy, "release", "--run", regressed, "--baseline-run", baseline]
    reply = (await libra(*words, "--write", f"junit={junit}", "--json", code=1)).json
    assert reply["decision"] == "GATE_DECISION_NO_GO"
    assert int(reply["changes"][0]["newly_broken_count"]) == round(0.12 * SAMPLES)
    assert "The number after" not in json.dumps(reply)  # no text of a sample
    assert [len(ET.parse(junit).getroot().findall(f".//{tag}")) for tag in ("testcase", "failure")] == [2, 1]

    release.share = 0.5
    before = provider.count
    steps = ["gate", "check", policy, "release", "--baseline-run", baseline, "--decide", "--fresh", "--samples", 20]
    decided = (await libra(*steps, "--json", code=1)).json
    assert decided["decision"] == "GATE_DECISION_NO_GO"
    assert provider.count - before < SAMPLES  # a clear case needs a part of the samples

    alarms = (await libra("gate", "calibrate", policy, "--run", baseline, "--repetitions", 100, "--json")).json
    assert alarms["false_alarms"]["share"] <= alarms["alpha"]
    await libra("gate", policy, "releas", "--baseline-run", baseline, code=2)
