"""`libra backup` during a run, and `libra restore` on another machine, where the run ends."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest
from bson import decode
from tests.chaos.harness import SHORT_DELAYS
from tests.system.command_line import CommandLine
from tests.system.run_client import RunClient

from libra.local.system import System
from libra.store.maintenance.backup.archive import ArchiveReader
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, says
from libra.v1.run_pb2 import RunState

pytestmark = pytest.mark.timeout(200)

SAMPLES = 60
IN_FLIGHT = 10
DELAY_SECONDS = 0.5
DELAYS = SHORT_DELAYS | {"LIBRA_DISPATCH_QUIET_SECONDS": "2"}


def answer(request: ReceivedRequest) -> Behaviour:
    return says(request.prompt, after_seconds=DELAY_SECONDS)


def state_of(file: Path, run: str) -> int:
    """Return the state of a run in a backup."""
    with file.open("rb") as opened:
        documents = map(decode, ArchiveReader(opened).read("runs"))
        return next(int(each["run"]["state"]) for each in documents if each["_id"] == run)


async def test_a_run_of_a_backup_ends_after_the_restore(system: System, tmp_path: Path) -> None:
    system.up()
    here, elsewhere = CommandLine(tmp_path, system.folder), CommandLine(tmp_path, tmp_path / "elsewhere")
    samples = ({"messages": [{"role": "user", "content": f"Say {n}"}], "answer": f"Say {n}"} for n in range(SAMPLES))
    (tmp_path / "said.jsonl").write_text("\n".join(map(json.dumps, samples)))
    (tmp_path / "said.yaml").write_text(
        "name: said\ncategory: capability\njudge: {name: exact, options: {field: answer}}\n"
    )
    async with ScriptedProvider(answer) as provider:
        await here("tasks", "import", "said.jsonl", "--card", "said.yaml")
        await here("models", "add", "speaker", "--no-test", "--url", provider.url, "--max-in-flight", IN_FLIGHT)
        client = RunClient(system)
        run = await client.create(models=["speaker"], tasks=["said"])
        while provider.count < 3 * IN_FLIGHT:
            await asyncio.sleep(DELAY_SECONDS / 5)
        await here("backup", "all.libra")
        assert stat.S_IMODE((tmp_path / "all.libra").stat().st_mode) == 0o600
        assert state_of(tmp_path / "all.libra", run.id) == RunState.RUN_STATE_RUNNING
        await here("backup", "all.libra", code=2)
        await client.wait_for_end(run.id)
        await client.close()
        requests = provider.count

        await elsewhere("restore", "all.libra")
        other = System(tmp_path / "elsewhere", variables=DELAYS)
        try:
            await asyncio.to_thread(other.up)
            await elsewhere("restore", "all.libra", code=2)  # it runs
            client = RunClient(other)
            ended = await client.wait_for_end(run.id)
            await client.close()
            assert ended.counts.scored == SAMPLES
            assert provider.count - requests < SAMPLES, "the backup has some of the answers"
            assert "the audit passes" in (await elsewhere("audit", run.id)).stdout
            counted = await elsewhere("retention", "apply", "--completions", 1, "--verdict-texts", 1, "--dry-run")
            assert "completions: would remove the texts of 0 documents" in counted.stdout
        finally:
            await asyncio.to_thread(other.stop)
