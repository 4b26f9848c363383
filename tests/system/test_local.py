"""`libra up`, `status`, `down` and `logs` on a machine where processes are killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from libra.local import topology
from libra.local.servers import MongoServer
from libra.local.settings import inherited_environment
from libra.local.system import System

from .processes import find_processes

pytestmark = pytest.mark.timeout(240)

COMMAND_SECONDS = 120


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "libra.cli", *map(str, arguments)]


def libra(
    folder: Path, *arguments: str, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("--data", folder, *arguments),
        env={**inherited_environment(), "LIBRA_LOCAL_WATCHDOG": "0", **(variables or {})},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    data = tmp_path_factory.mktemp("machine") / "data"
    yield data
    assert libra(data, "down").returncode == 0
    assert find_processes(data) == []


@pytest.fixture
def system(folder: Path) -> System:
    result = libra(folder, "up")
    assert result.returncode == 0, result.stderr
    return System(folder)


def test_a_second_up_reports_that_the_system_is_up_already(system: System, folder: Path) -> None:
    before = {name: system.pid(name) for name in topology.PARTS}
    again = libra(folder, "up")
    assert again.returncode == 0
    assert "is up" in again.stdout
    assert "already" in again.stdout
    assert {name: system.pid(name) for name in topology.PARTS} == before
    assert len(find_processes(folder)) == len(topology.PARTS)
    status = libra(folder, "status")
    assert status.returncode == 0
    assert all(name in status.stdout for name in topology.PARTS)
    assert libra(folder, "logs", "gateway", "-n", "3").stdout.count("\n") == 3


def test_up_restarts_only_the_killed_parts(system: System, folder: Path) -> None:
    before = {name: system.pid(name) for name in topology.PARTS}
    for name in ("judge", "nats-server"):
        psutil.Process(before[name]).send_signal(signal.SIGKILL)
    assert libra(folder, "status").returncode == 1
    # Two `libra up` at once: one restarts the parts, the other waits and finds all of them up.
    ups = [
        subprocess.Popen(
            command("--data", folder, "up"),
            env={**inherited_environment(), "LIBRA_LOCAL_WATCHDOG": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = sorted(up.communicate(timeout=COMMAND_SECONDS)[0] for up in ups)
    assert [up.returncode for up in ups] == [0, 0]
    assert "is up again: nats-server, judge had ended" in outputs[0]
    assert "already" in outputs[1]
    after = {name: system.pid(name) for name in topology.PARTS}
    assert {name for name in topology.PARTS if after[name] != before[name]} == {"judge", "nats-server"}
    assert len(find_processes(folder)) == len(topology.PARTS)


def test_down_stops_all_processes_and_keeps_the_data(system: System, folder: Path) -> None:
    addresses = system.addresses
    assert libra(folder, "models", "add", "kept", "--no-test", "--url", "http://127.0.0.1:1/v1").returncode == 0
    for name in ("ranking", "mongod"):
        system.kill(name)
    down = libra(folder, "down")
    assert down.returncode == 0
    assert "its data stays" in down.stdout
    assert find_processes(folder) == []
    assert "Nothing ran" in libra(folder, "down").stdout
    listing = libra(folder, "models", "list")
    assert listing.returncode == 3
    assert "run `libra up`" in listing.stderr

    assert libra(folder, "up").returncode == 0
    assert system.addresses == addresses
    shown = json.loads(libra(folder, "models", "show", "kept", "--json").stdout)
    assert shown["model"]["base_url"] == "http://127.0.0.1:1/v1"


def test_a_part_that_fails_to_start_is_reported_and_all_others_are_stopped(tmp_path: Path) -> None:
    result = libra(tmp_path, "up", variables={"LIBRA_JUDGE_LISTEN": "", "LIBRA_DISPATCH_WINDOW_TRIALS": "many"})
    assert result.returncode == 3
    assert "error: dispatch ended" in result.stderr
    assert "LIBRA_DISPATCH_WINDOW_TRIALS" in result.stderr
    assert find_processes(tmp_path) == []


def test_servers_named_in_the_environment_are_used_instead_of_new_ones(
    tmp_path: Path, nats_url: str, mongo_server: MongoServer, database: str
) -> None:
    variables = {
        "LIBRA_NATS_URL": nats_url,
        "LIBRA_MONGO_URL": mongo_server.url,
        "LIBRA_MONGO_DATABASE": database,
    }
    try:
        assert libra(tmp_path, "up", variables=variables).returncode == 0
        assert len(find_processes(tmp_path)) == len(topology.SERVICES)
        status = libra(tmp_path, "status", variables=variables)
        assert status.returncode == 0
        assert status.stdout.count("elsewhere") == 2
    finally:
        libra(tmp_path, "down", variables=variables)
    assert find_processes(tmp_path) == []
    assert mongo_server.is_ready()


def test_a_system_with_tls_asks_for_tokens(tmp_path: Path) -> None:
    try:
        up = libra(tmp_path, "up", "--tls")
        assert up.returncode == 0, up.stderr
        assert f"LIBRA_TLS_CA_FILE={tmp_path}/access/ca.pem" in up.stdout
        run = ("--model", "careful", "--task", "code_word", "--attack", "none", "--samples", "4", "--watch")
        created = libra(tmp_path, "run", "create", *run)
        assert (created.returncode, "finished" in created.stdout) == (0, True), created.stdout + created.stderr
        token = libra(tmp_path, "token", "create", "ci", "--role", "reader").stdout.split()[0]
        assert "the audit log is intact: 4 entries" in libra(tmp_path, "audit-log", "--verify").stdout
        assert libra(tmp_path, "status").returncode == 0
        assert_only_callers_with_tls_and_a_token_are_served(tmp_path, token)
        changed = libra(tmp_path, "up", "--no-tls")
        assert (changed.returncode, "run `libra down` first" in changed.stderr) == (2, True), changed.stderr
    finally:
        libra(tmp_path, "down")
    assert find_processes(tmp_path) == []


def assert_only_callers_with_tls_and_a_token_are_served(folder: Path, token: str) -> None:
    address = {"LIBRA_DISPATCH_ADDRESS": System(folder).addresses["dispatch"]}
    tls = address | {"LIBRA_TLS_CA_FILE": str(folder / "access/ca.pem")}
    refused = libra(folder, "run", "list", variables=tls)
    assert (refused.returncode, "the call has no token" in refused.stderr) == (2, True), refused.stderr
    assert libra(folder, "run", "list", variables=address).returncode == 3
    assert libra(folder, "run", "list", variables=tls | {"LIBRA_TOKEN": token}).returncode == 0
    # Without an address, a command finds the certificate of the system, and the given token counts.
    denied = libra(folder, "token", "list", variables={"LIBRA_TOKEN": token})
    assert (denied.returncode, "has the role reader" in denied.stderr) == (2, True), denied.stderr
