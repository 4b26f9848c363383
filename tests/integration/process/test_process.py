"""A process from start to stop as its supervisor sees it, on a real nats-server and a real mongod."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from libra.local import health, settings
from libra.local.servers import MongoServer, NatsServer, free_port
from libra.v1.run_pb2 import ListRunsRequest
from libra.v1.run_pb2_grpc import RunServiceStub

SERVICE = Path(__file__).parents[1] / "support" / "tiny_service.py"
SECONDS = 30.0


@dataclass
class TinyService:
    """A running service and its log."""

    process: subprocess.Popen[bytes]
    log: Path

    def log_lines(self, action: str = "") -> list[dict[str, Any]]:
        # gRPC's core writes lines that are not JSON, and the last line may be incomplete.
        complete = [
            line for line in self.log.read_text().splitlines(keepends=True) if line[0] == "{" and line[-1] == "\n"
        ]
        log_lines = [json.loads(line) for line in complete]
        return [line for line in log_lines if not action or line.get("action") == action]

    def wait_for_action(self, action: str, times: int = 1) -> dict[str, Any]:
        """Wait for this many log lines with the action, and return the last of them."""
        self.wait_until(lambda: len(self.log_lines(action)) >= times, f"{action} {times} times")
        return self.log_lines(action)[times - 1]

    def wait_until(self, done: Callable[[], bool], what: str) -> None:
        deadline_seconds = time.monotonic() + SECONDS
        while not done():
            assert time.monotonic() < deadline_seconds, f"not {what}: {self.log.read_text()}"
            assert self.process.poll() is None or done(), f"ended before {what}: {self.log.read_text()}"
            time.sleep(0.05)

    @property
    def port(self) -> int:
        return int(self.wait_for_action("process_started")["grpc_port"])

    def metrics(self) -> str:
        url = f"http://127.0.0.1:{self.wait_for_action('process_started')['metrics_port']}/metrics"
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            return str(answer.read().decode())

    def has_metric(self, line: str) -> bool:
        return f"\n{line}\n" in self.metrics()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


Start = Callable[..., TinyService]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the service with the given servers; keywords are additional variables."""
    started: list[TinyService] = []

    def start_one(nats_url: str, mongo_url: str, **variables: str) -> TinyService:
        log = tmp_path / f"{len(started)}.log"
        inherited = settings.inherited_environment()
        inherited = {name: value for name, value in inherited.items() if not name.startswith("LIBRA_")}
        servers = {"LIBRA_NATS_URL": nats_url, "LIBRA_MONGO_URL": mongo_url, "LIBRA_MONGO_DATABASE": "test-process"}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, str(SERVICE)], stderr=output, env={**inherited, **servers, **variables}
            )
        started.append(TinyService(process, log))
        return started[-1]

    yield start_one
    for service in started:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()


@pytest.fixture
def closed_ports() -> tuple[str, str]:
    return f"nats://127.0.0.1:{free_port()}", f"mongodb://127.0.0.1:{free_port()}/?replicaSet=libra"


def test_a_process_starts_becomes_ready_serves_and_stops(
    start: Start, nats_url: str, mongo_server: MongoServer
) -> None:
    service = start(nats_url, mongo_server.url)
    service.wait_for_action("process_ready")
    assert health.is_serving(service.port)
    with grpc.insecure_channel(f"127.0.0.1:{service.port}") as channel:
        assert not RunServiceStub(channel).ListRuns(ListRunsRequest(), timeout=SECONDS).runs
    assert service.has_metric('libra_ready{service="tiny"} 1.0')
    assert service.has_metric('libra_rpc_requests_total{code="OK",method="RunService/ListRuns"} 1.0')
    service.wait_until(lambda: service.has_metric('libra_backlog{consumer="attack"} 0.0'), "the backlog is shown")
    assert "process_resident_memory_bytes" in service.metrics()

    assert service.stop() == 0
    events = [(line.get("action"), line["event"]) for line in service.log_lines() if line["service"] == "tiny"]
    actions = [action for action, _ in events if action and action.startswith("process_")]
    assert actions == [
        "process_started", "process_ready", "process_stopping", "process_not_ready", "process_stopped"
    ]  # fmt: skip
    assert (None, "the worker has finished") in events
    assert {line["level"] for line in service.log_lines()} <= {"info", "warning"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LIBRA_TINY_SLOTS", "many"),
        ("LIBRA_TINY_MODE", "dance"),
        ("LIBRA_TINY_LISTEN", "somewhere"),
        ("LIBRA_LOG_LEVEL", "loud"),
        ("LIBRA_LOG_FORMAT", "xml"),
        ("LIBRA_NATS_URL", "http://me:secret@127.0.0.1"),
        ("LIBRA_MONGO_URL", "postgres://me:secret@127.0.0.1"),
    ],
)
def test_a_process_with_invalid_settings_names_them_and_exits(
    start: Start, closed_ports: tuple[str, str], variable: str, value: str
) -> None:
    urls = {"LIBRA_NATS_URL": closed_ports[0], "LIBRA_MONGO_URL": closed_ports[1]} | {variable: value}
    service = start(urls.pop("LIBRA_NATS_URL"), urls.pop("LIBRA_MONGO_URL"), **urls)
    assert service.process.wait(SECONDS) == 2
    last_line = service.log.read_text().splitlines()[-1]
    assert last_line.startswith(f"libra tiny: {variable}")
    assert "secret" not in service.log.read_text()


def test_a_process_waits_for_servers_that_are_down_at_its_start(start: Start, tmp_path: Path) -> None:
    nats_port, mongo_port = free_port(), free_port()
    mongo_url = f"mongodb://127.0.0.1:{mongo_port}/?replicaSet=libra&serverSelectionTimeoutMS=500"
    service = start(f"nats://127.0.0.1:{nats_port}", mongo_url)
    assert not health.is_serving(service.port)
    assert service.has_metric('libra_ready{service="tiny"} 0.0')
    assert "LIBRA_MONGO_URL" in service.wait_for_action("process_waits")["reason"]
    assert service.wait_for_action("bus_lost")["address"].endswith(str(nats_port))
    nats, mongo = NatsServer.start(tmp_path / "nats", port=nats_port), None
    try:
        service.wait_for_action("bus_found")
        assert not health.is_serving(service.port)
        mongo = MongoServer.start(tmp_path / "mongo", port=mongo_port)
        service.wait_for_action("process_ready")
        assert health.is_serving(service.port)
        assert service.stop() == 0
    finally:
        nats.stop()
        if mongo:
            mongo.stop()


def test_a_waiting_process_stops_on_a_signal(start: Start, closed_ports: tuple[str, str]) -> None:
    service = start(*closed_ports)
    assert service.port
    began = time.monotonic()
    assert service.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 10


def test_a_suspended_mongod_makes_the_process_not_ready_and_does_not_delay_its_stop(
    start: Start, nats_url: str, mongo_server: MongoServer
) -> None:
    service = start(nats_url, mongo_server.url)
    service.wait_for_action("process_ready")
    try:
        mongo_server.process.send_signal(signal.SIGSTOP)
        assert "MongoDB" in service.wait_for_action("process_not_ready")["reason"]
        assert not health.is_serving(service.port)
        assert service.has_metric('libra_ready{service="tiny"} 0.0')
        mongo_server.process.send_signal(signal.SIGCONT)
        service.wait_for_action("process_ready", times=2)
        mongo_server.process.send_signal(signal.SIGSTOP)
        service.wait_for_action("process_not_ready", times=2)
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < 15
    finally:
        mongo_server.process.send_signal(signal.SIGCONT)


def test_a_process_reconnects_to_servers_that_were_killed_and_lost_their_data(start: Start, tmp_path: Path) -> None:
    nats, mongo = NatsServer.start(tmp_path / "nats"), MongoServer.start(tmp_path / "mongo")
    try:
        service = start(nats.url, mongo.url)
        service.wait_for_action("process_ready")
        nats.kill()
        assert "NATS" in service.wait_for_action("process_not_ready")["reason"]
        nats = NatsServer.start(tmp_path / "new nats", port=nats.port)
        service.wait_for_action("process_ready", times=2)

        mongo.kill()
        assert "MongoDB" in service.wait_for_action("process_not_ready", times=2)["reason"]
        with grpc.insecure_channel(f"127.0.0.1:{service.port}") as channel, pytest.raises(grpc.RpcError) as caught:
            RunServiceStub(channel).ListRuns(ListRunsRequest(), timeout=SECONDS)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        mongo = MongoServer.start(tmp_path / "mongo", port=mongo.port)
        service.wait_for_action("process_ready", times=3)
        assert service.stop() == 0
        assert not [line for line in service.log_lines() if line["level"] == "error"]
    finally:
        nats.stop()
        mongo.stop()


@pytest.mark.parametrize("mode", ["bug", "ends"])
def test_a_failed_worker_ends_the_process(start: Start, nats_url: str, mongo_server: MongoServer, mode: str) -> None:
    service = start(nats_url, mongo_server.url, LIBRA_TINY_MODE=mode)
    assert service.process.wait(SECONDS) == 1
    line = service.wait_for_action("worker_failed")
    assert line["level"] == "error"
    assert ("ZeroDivisionError" in line.get("exception", "")) is (mode == "bug")
    assert service.log_lines("process_stopped")


def test_a_worker_restarts_while_a_dependency_is_unavailable(
    start: Start, nats_url: str, mongo_server: MongoServer
) -> None:
    service = start(nats_url, mongo_server.url, LIBRA_TINY_MODE="unavailable")
    service.wait_for_action("worker_waits", times=2)
    service.wait_until(
        lambda: any(line.get("attempts") == 3 for line in service.log_lines()), "it works at the third attempt"
    )
    assert service.stop() == 0


def test_a_second_signal_ends_the_process_immediately(start: Start, nats_url: str, mongo_server: MongoServer) -> None:
    service = start(nats_url, mongo_server.url, LIBRA_TINY_MODE="slow")
    service.wait_for_action("process_ready")
    service.process.send_signal(signal.SIGTERM)
    service.wait_for_action("process_not_ready")
    assert not health.is_serving(service.port)
    assert service.process.poll() is None
    began = time.monotonic()
    assert service.stop() == -signal.SIGTERM
    assert time.monotonic() - began < 5


def test_a_misspelt_variable_is_warned_about_once(start: Start, closed_ports: tuple[str, str]) -> None:
    service = start(*closed_ports, LIBRA_GATWAY_LISTEN="secret", LIBRA_JUDGE_SLOTS="3")
    service.wait_for_action("process_started")
    (line,) = service.log_lines("setting_unknown")
    assert line["level"] == "warning"
    assert "LIBRA_GATWAY_LISTEN is not a setting; did you mean LIBRA_GATEWAY_LISTEN?" in line.values()
    assert "secret" not in str(line)


@pytest.mark.parametrize("listener", ["LISTEN", "METRICS_LISTEN"])
def test_an_address_in_use_is_named(start: Start, closed_ports: tuple[str, str], listener: str) -> None:
    first = start(*closed_ports)
    ports = first.wait_for_action("process_started")
    address = f"127.0.0.1:{ports['grpc_port'] if listener == 'LISTEN' else ports['metrics_port']}"
    second = start(*closed_ports, **{f"LIBRA_TINY_{listener}": address})
    assert second.process.wait(SECONDS) == 1
    assert address in second.log_lines("process_stopped")[-1]["reason"]
