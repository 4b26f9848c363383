"""An upgrade during a run, service by service, from an earlier commit: the run ends, and its audit passes.

make chaos FROM=v0.1.0          # the commit or tag to upgrade from; by default the one before HEAD
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from tests.chaos.harness import SHORT_DELAYS
from tests.system.command_line import CommandLine
from tests.system.run_client import RunClient

from libra.local.system import System
from libra.local.topology import SERVICES
from libra.store.maintenance.schema.migrations import known_version
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, says

pytestmark = pytest.mark.timeout(400)

ROOT = Path(__file__).parents[2]
SAMPLES = 400
IN_FLIGHT = 10
TIMEOUT_SECONDS = 10
"""The permits of a killed gateway are free after this time."""


def answer(request: ReceivedRequest) -> Behaviour:
    return says(request.prompt, after_seconds=1.0)


@pytest.fixture
def earlier(tmp_path: Path) -> Iterator[Path]:
    """The services of an earlier commit, in a folder for PYTHONPATH."""
    folder = tmp_path / "earlier"
    commit = os.environ.get("FROM") or "HEAD~1"  # noqa: TID251 - no setting of a service
    subprocess.run(["git", "worktree", "add", "--detach", folder, commit], cwd=ROOT, check=True, capture_output=True)
    yield folder / "services"
    subprocess.run(["git", "worktree", "remove", "--force", folder], cwd=ROOT, check=True)


async def test_services_are_replaced_one_by_one_during_a_run(earlier: Path, tmp_path: Path) -> None:
    added = [service for service in SERVICES if not (earlier / "libra" / service).is_dir()]
    variables = SHORT_DELAYS | {"PYTHONPATH": str(earlier)}
    old = System(tmp_path / "data", replicas=dict.fromkeys(added, 0), variables=variables)
    new = System(tmp_path / "data", replicas=dict.fromkeys(SERVICES, 1), variables=SHORT_DELAYS)
    libra = CommandLine(tmp_path, tmp_path / "data")
    samples = ({"messages": [{"role": "user", "content": f"Say {n}"}], "answer": f"Say {n}"} for n in range(SAMPLES))
    (tmp_path / "said.jsonl").write_text("\n".join(map(json.dumps, samples)))
    (tmp_path / "said.yaml").write_text(
        "name: said\ncategory: capability\njudge: {name: exact, options: {field: answer}}\n"
    )
    try:
        await asyncio.to_thread(old.up)
        async with ScriptedProvider(answer) as provider:
            await libra("tasks", "import", "said.jsonl", "--card", "said.yaml")
            limits = ("--max-in-flight", IN_FLIGHT, "--timeout", TIMEOUT_SECONDS)
            await libra("models", "add", "speaker", "--no-test", "--url", provider.url, *limits)
            client = RunClient(new)
            run = await client.create(models=["speaker"], tasks=["said"])
            # Dispatch comes first: it migrates while the other services are still the earlier ones.
            for service in reversed(SERVICES):
                if service not in added:
                    await asyncio.to_thread(old.kill, service)
                    await asyncio.to_thread(new.start_part, service)
            await asyncio.to_thread(new.up)  # the services that the earlier commit did not have
            ended = await client.wait_for_end(run.id)
            await client.close()
        assert ended.counts.scored == SAMPLES
        assert "the audit passes" in (await libra("audit", run.id)).stdout
        with MongoClient[dict[str, object]](new.mongo_url) as mongo:
            schema = {each["_id"]: each["version"] for each in mongo["libra"]["schema"].find({})}
        assert schema["runs"] == known_version("runs")
    finally:
        for system in (new, old):  # each reads the exit statuses of the processes that it started
            await asyncio.to_thread(system.stop)
