"""A run with a model that answers and one that cannot be asked: what is wrong is seen everywhere within ten seconds."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from libra.local.settings import inherited_environment
from libra.local.system import System
from libra.testing.scripted_provider import ScriptedProvider, refuses, says

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

SEEN_SECONDS = 10.0


def start(system: System, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "libra.cli", "--data", str(system.folder), *arguments]
    environment = {**inherited_environment(), "COLUMNS": "80"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )


def libra(system: System, *arguments: str) -> str:
    output, _ = start(system, *arguments).communicate(timeout=30)
    return " ".join(output.split())


async def until(began: float, condition: Callable[[], bool]) -> None:
    while not await asyncio.to_thread(condition):
        assert time.monotonic() - began < SEEN_SECONDS
        await asyncio.sleep(0.1)


@pytest.fixture
def names(system: System) -> Iterator[tuple[str, str]]:
    suffix = str(time.time_ns())
    yield f"good-{suffix}", f"dead-{suffix}"
    libra(system, "run", "cancel", "last")


@pytest.mark.parametrize("kind", ["nobody listens", "no quota"])
async def test_a_model_that_cannot_be_asked_is_seen_within_ten_seconds(
    system: System, names: tuple[str, str], kind: str
) -> None:
    good, dead = names
    no_quota = refuses(429, code="insufficient_quota", message="You exceeded your quota")
    async with ScriptedProvider(says("I cannot help with that.")) as answering, ScriptedProvider(no_quota) as empty:
        url = empty.url if kind == "no quota" else "http://127.0.0.1:1/v1"
        await asyncio.to_thread(libra, system, "models", "add", good, "--url", answering.url)
        await asyncio.to_thread(libra, system, "models", "add", dead, "--url", url)
        run_id, began = await asyncio.to_thread(create_run, system, good, dead), time.monotonic()
        watching = start(system, "run", "watch", run_id)
        try:
            seen = f"{dead} is parked"
            await asyncio.gather(
                until(began, lambda: seen in libra(system, "run", "show", run_id)),
                until(began, lambda: "parked" in libra(system, "run", "list", "--limit", "1")),
                until(began, lambda: "parked:" in libra(system, "models", "show", dead)),
                until(began, lambda: f'"model_parked","model":"{dead}"' in gateway_log(system)),
            )
            assert await asyncio.to_thread(good_is_done, system, run_id, good)
        finally:
            await asyncio.sleep(max(0.0, began + SEEN_SECONDS - time.monotonic()))
            watching.terminate()
        assert seen in watching.communicate(timeout=20)[0]
        assert empty.count <= (8 + 2 if kind == "no quota" else 0)


def gateway_log(system: System) -> str:
    """Return the log of the gateway with the fields of a line that the test looks for side by side."""
    text = ""
    for line in (system.folder / "logs" / "gateway.log").read_text().splitlines():
        entry = json.loads(line)
        text += f'"{entry.get("action")}","model":"{entry.get("model")}"'
    return text


def create_run(system: System, *models: str) -> str:
    """Start a run of the models; return its id."""
    options = [option for model in models for option in ("--model", model)]
    tasks = ("--task", "privacy_requests", "--task", "reading")
    reply = libra(system, "run", "create", *options, *tasks, "--json")
    return str(json.loads(reply)["run"]["id"])


def good_is_done(system: System, run_id: str, good: str) -> bool:
    """Tell whether the other model has got all its verdicts."""
    run = json.loads(libra(system, "run", "show", run_id, "--json"))
    (progress,) = (each for each in run["models"] if each["model"] == good)
    return sum(int(count) for count in progress["counts"].values()) == int(run["trials"]) // 2
