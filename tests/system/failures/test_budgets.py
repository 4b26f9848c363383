"""A run within its budget whose gateways are killed, and the control of a running run, all by the command line."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner
from tests.chaos.harness import NO_PAGES, SHORT_DELAYS
from tests.generated_task import import_requests, sample_lines
from ulid import ULID

from libra.cli.__main__ import main
from libra.local.system import System
from libra.rpc.client import call, channel
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, refuses, says
from libra.v1.task_pb2_grpc import TaskServiceStub

pytestmark = pytest.mark.timeout(300)

IN_FLIGHT = 8
TIMEOUT_SECONDS = 3
"""The quota of a gateway that is killed before the first answer is free after this time; the default is 120 s."""

PRICE = 100
"""US dollars per million tokens."""

REQUEST_USD = 15 * PRICE / 1e6
"""The provider counts 10 tokens of the prompt and 5 of the answer."""

BUDGET_USD = 60 * REQUEST_USD
CEILING = 30
"""Requests per day, of runs with 80 trials."""

VARIABLES = SHORT_DELAYS | {"LIBRA_DISPATCH_QUIET_SECONDS": "3"}


@pytest.fixture(scope="module")
def replicated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("libra")
    with System.start(folder, replicas=NO_PAGES | {"gateway": 2}, variables=VARIABLES) as started:
        yield started


@dataclass
class Terminal:
    """Runs commands against one system."""

    system: System
    provider: ScriptedProvider

    async def libra(self, *arguments: object, code: int = 0) -> str:
        """Return the output of a command that ends with this exit code."""
        command = ["--data", str(self.system.folder), *map(str, arguments)]
        result = await asyncio.to_thread(CliRunner().invoke, main, command)
        assert result.exit_code == code, result.output
        return result.stdout if "--json" in command else " ".join(result.output.split())

    async def show(self) -> Any:
        return json.loads(await self.libra("run", "show", "last", "--json"))

    async def prepare(self, samples: int, in_flight: int = IN_FLIGHT) -> list[object]:
        """Import a task and register a model; return the options of a run of both."""
        name = f"spend-{str(ULID()).lower()[-6:]}"  # short: the commands print it in columns
        async with channel(self.system.grpc_target("dispatch")) as dispatch:
            data = sample_lines(f"How is {n} done?" for n in range(samples))
            await call(TaskServiceStub(dispatch).ImportTask, import_requests(name, data), 60)
        prices = ("--prompt-price", PRICE, "--completion-price", PRICE)
        limits = ("--max-in-flight", in_flight, "--timeout", TIMEOUT_SECONDS, "--no-test")
        await self.libra("models", "add", name, "--url", self.provider.url, *prices, *limits)
        return ["--model", name, "--task", name, "--max-tokens", 16]

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.05)

    async def is_silent(self, seconds: float = 2.0) -> bool:
        """Return whether no request comes for this time."""
        count = self.provider.count
        await asyncio.sleep(seconds)
        return self.provider.count == count


@dataclass
class Script:
    """Answers after a while; refuses requests for prompts with a 7 until it is repaired."""

    seconds: float = 0.1
    is_broken: bool = False

    def __call__(self, request: ReceivedRequest) -> Behaviour:
        if self.is_broken and "7" in request.prompt:
            return refuses(400, message="no sevens today")
        return says("I'm sorry, but I can't help with that.", after_seconds=self.seconds)


@pytest.fixture
async def script() -> Script:
    return Script()


@pytest.fixture
async def terminal(replicated: System, script: Script) -> AsyncIterator[Terminal]:
    replicated.up()
    async with ScriptedProvider(script) as provider:
        yield Terminal(replicated, provider)


async def test_a_budget_holds_while_gateways_are_killed_and_the_run_can_be_resumed(terminal: Terminal) -> None:
    spec, system, provider = await terminal.prepare(160), terminal.system, terminal.provider
    estimate = await terminal.libra("run", "estimate", *spec)
    assert "160 requests" in estimate
    assert "lengths" in estimate
    await terminal.libra("run", "create", *spec, "--budget-usd", BUDGET_USD)
    await terminal.wait_until(lambda: provider.count >= 20)
    gateways = [name for name in system.part_names if name.startswith("gateway")]
    for name in gateways:
        await asyncio.to_thread(system.kill, name)
    for name in gateways:
        await asyncio.to_thread(system.start_part, name)
    watched = await terminal.libra("run", "watch", "last", code=1)
    assert "budget exhausted" in watched
    assert "libra run resume" in watched
    assert await terminal.is_silent()
    shown = await terminal.show()
    settled = shown["budget"]["settled"]["usd"]
    assert settled <= BUDGET_USD
    assert provider.count * REQUEST_USD <= BUDGET_USD
    assert "used up" in await terminal.libra("run", "resume", "last", code=2)
    await terminal.libra("run", "resume", "last", "--budget-usd", 5)
    finished = await terminal.libra("run", "watch", "last")
    assert "160 of 160 trials" in finished
    requests = Counter(request.prompt for request in provider.requests)
    assert len(requests) == 160
    # Answers that were in flight when both gateways died are lost, and nothing else is asked twice.
    assert sum(requests.values()) - 160 <= 2 * IN_FLIGHT
    await terminal.libra("audit", shown["id"])
    stored = await terminal.libra("run", "estimate", *spec)
    assert "stored" in stored  # and "usage", in a narrow column
    assert "2,400 tokens" in stored


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--budget-usd", 0), "must be above 0"),
        (("--budget-tokens", -5), "must be above 0"),
        (("--budget-requests", 0), "must be above 0"),
    ],
)
async def test_a_budget_that_is_no_amount_is_refused(terminal: Terminal, options: tuple[Any], reason: str) -> None:
    spec = ["--model", "refuser", "--task", "*"]
    refused = await terminal.libra("run", "create", *spec, *options, code=2)
    assert reason in refused
    assert str(options[0]) in refused


async def test_a_budget_in_dollars_needs_every_price(terminal: Terminal) -> None:
    await terminal.prepare(1)
    await terminal.libra("models", "add", "unpriced", "--url", terminal.provider.url, "--no-test")
    refused = await terminal.libra(
        "run", "create", "--model", "unpriced", "--task", "fraud_requests", "--budget-usd", 1, code=2
    )
    assert "unpriced" in refused


async def test_a_paused_run_sends_nothing_until_it_is_resumed(terminal: Terminal, script: Script) -> None:
    script.seconds = 0.02
    spec, system = await terminal.prepare(2000), terminal.system
    await terminal.libra("run", "create", *spec)
    await terminal.wait_until(lambda: terminal.provider.count >= 10)
    assert "paused" in await terminal.libra("run", "pause", "last")
    async with asyncio.timeout(60):
        while not await terminal.is_silent():
            pass
    sent = terminal.provider.count
    assert sent < 2000
    await asyncio.to_thread(system.kill, "dispatch")
    await asyncio.to_thread(system.start_part, "dispatch")
    assert await terminal.is_silent(5.0)
    assert (await terminal.show())["state"] == "RUN_STATE_PAUSED"
    await terminal.libra("run", "resume", "last")
    assert "2,000 of 2,000 trials" in await terminal.libra("run", "watch", "last")
    assert terminal.provider.count == 2000
    await terminal.libra("audit", "last")


async def test_failed_trials_are_retried_and_their_verdicts_replaced(terminal: Terminal, script: Script) -> None:
    script.seconds, script.is_broken = 0.0, True
    spec = await terminal.prepare(100)
    await terminal.libra("run", "create", *spec, "--watch", code=1)
    before = await terminal.show()
    assert before["counts"] == {"scored": "81", "filtered": "0", "unjudged": "0", "failed": "19"}
    script.is_broken, asked = False, terminal.provider.count
    await terminal.libra("run", "retry", "last")
    assert "100 of 100 trials, 100 scored" in await terminal.libra("run", "watch", "last")
    assert terminal.provider.count - asked == 19
    after = await terminal.show()
    assert int(after["revision"]) > int(before["revision"])
    await terminal.libra("audit", "last")
    assert "no trial is failed" in await terminal.libra("run", "retry", "last")


async def test_a_ceiling_holds_while_gateways_are_killed_and_a_higher_one_lets_the_run_end(terminal: Terminal) -> None:
    spec, system, provider = await terminal.prepare(80), terminal.system, terminal.provider
    name = spec[1]
    await terminal.libra("models", "update", name, "--ceiling-requests", CEILING)
    await terminal.libra("run", "create", *spec)
    await terminal.wait_until(lambda: provider.count >= 10)
    for gateway in (part for part in system.part_names if part.startswith("gateway")):
        await asyncio.to_thread(system.kill, gateway)
        await asyncio.to_thread(system.start_part, gateway)
    async with asyncio.timeout(90):
        while f"{name} for " not in (listed := await terminal.libra("models", "list")):
            await asyncio.sleep(0.5)
    assert "parked: the ceiling of" in listed
    assert "its trials wait" in listed
    assert await terminal.is_silent()
    assert CEILING - 2 * IN_FLIGHT <= provider.count <= CEILING
    await terminal.libra("models", "update", name, "--ceiling-requests", 0)
    assert "80 of 80 trials, 80 scored" in await terminal.libra("run", "watch", "last")
    await terminal.libra("audit", "last")


async def test_a_running_run_uses_new_limits_within_seconds(terminal: Terminal, script: Script) -> None:
    script.seconds = 1.0
    spec, provider = await terminal.prepare(60, in_flight=1), terminal.provider
    await terminal.libra("run", "create", *spec)
    await terminal.wait_until(lambda: provider.count >= 2)
    assert provider.max_in_flight == 1
    await terminal.libra("run", "update", "last", "--max-in-flight", 20)
    assert "60 of 60 trials, 60 scored" in await terminal.libra("run", "watch", "last")
    assert 5 <= provider.max_in_flight <= 20  # one of the two gateways may have all trials and half of the limit
    assert provider.count == 60
    await terminal.libra("audit", "last")
