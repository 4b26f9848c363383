"""The life of a process, as its supervisor sees it: a real one, on a real nats-server and a real mongod."""

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
class Tiny:
    """A running service and what it has said so far."""

    process: subprocess.Popen[bytes]
    log: Path

    def lines(self, action: str = "") -> list[dict[str, Any]]:
        # gRPC's core writes some lines of its own, which are no JSON; the last line may be half written.
        whole = [line for line in self.log.read_text().splitlines(keepends=True) if line[0] == "{" and line[-1] == "\n"]
        lines = [json.loads(line) for line in whole]
        return [line for line in lines if not action or line.get("action") == action]

    def says(self, action: str, times: int = 1) -> dict[str, Any]:
        """Return the line with this action that is the `times`-th, once it is there."""
        self.wait(lambda: len(self.lines(action)) >= times, f"{action} {times} times")
        return self.lines(action)[times - 1]

    def wait(self, done: Callable[[], bool], what: str) -> None:
        last = time.monotonic() + SECONDS
        while not done():
            assert time.monotonic() < last, f"not {what}: {self.log.read_text()}"
            assert self.process.poll() is None or done(), f"ended before {what}: {self.log.read_text()}"
            time.sleep(0.05)

    @property
    def port(self) -> int:
        return int(self.says("process_started")["grpc_port"])

    def metrics(self) -> str:
        url = f"http://127.0.0.1:{self.says('process_started')['metrics_port']}/metrics"
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            return str(answer.read().decode())

    def metric(self, line: str) -> bool:
        return f"\n{line}\n" in self.metrics()

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


Start = Callable[..., Tiny]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the service on the given servers, with more variables by keyword."""
    started: list[Tiny] = []

    def one(nats_url: str, mongo_url: str, **variables: str) -> Tiny:
        log = tmp_path / f"{len(started)}.log"
        clean = {name: value for name, value in settings.inherited().items() if not name.startswith("LIBRA_")}
        told = {"LIBRA_NATS_URL": nats_url, "LIBRA_MONGO_URL": mongo_url, "LIBRA_MONGO_DATABASE": "test-process"}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, str(SERVICE)], stderr=output, env={**clean, **told, **variables}
            )
        started.append(Tiny(process, log))
        return started[-1]

    yield one
    for tiny in started:
        if tiny.process.poll() is None:
            tiny.process.kill()
            tiny.process.wait()


@pytest.fixture
def nowhere() -> tuple[str, str]:
    return f"nats://127.0.0.1:{free_port()}", f"mongodb://127.0.0.1:{free_port()}/?replicaSet=libra"


def test_from_start_to_stop(start: Start, nats_url: str, mongo_server: MongoServer) -> None:
    tiny = start(nats_url, mongo_server.url)
    tiny.says("process_ready")
    assert health.serving(tiny.port)
    with grpc.insecure_channel(f"127.0.0.1:{tiny.port}") as channel:
        assert not RunServiceStub(channel).ListRuns(ListRunsRequest(), timeout=SECONDS).runs
    assert tiny.metric('libra_ready{service="tiny"} 1.0')
    assert tiny.metric('libra_rpc_requests_total{code="OK",method="RunService/ListRuns"} 1.0')
    tiny.wait(lambda: tiny.metric('libra_backlog{consumer="attack"} 0.0'), "the backlog is shown")
    assert "process_resident_memory_bytes" in tiny.metrics()

    assert tiny.end() == 0
    events = [(line.get("action"), line["event"]) for line in tiny.lines() if line["service"] == "tiny"]
    actions = [action for action, _ in events if action and action.startswith("process_")]
    assert actions == [
        "process_started", "process_ready", "process_stopping", "process_not_ready", "process_stopped"
    ]  # fmt: skip
    assert (None, "the work in hand is done") in events
    assert {line["level"] for line in tiny.lines()} <= {"info", "warning"}


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
def test_bad_settings_are_named_and_end_it(start: Start, nowhere: tuple[str, str], variable: str, value: str) -> None:
    urls = {"LIBRA_NATS_URL": nowhere[0], "LIBRA_MONGO_URL": nowhere[1]} | {variable: value}
    tiny = start(urls.pop("LIBRA_NATS_URL"), urls.pop("LIBRA_MONGO_URL"), **urls)
    assert tiny.process.wait(SECONDS) == 2
    said = tiny.log.read_text().splitlines()[-1]
    assert said.startswith(f"libra tiny: {variable}")
    assert "secret" not in tiny.log.read_text()


def test_servers_that_are_down_at_the_start_are_waited_for(start: Start, tmp_path: Path) -> None:
    nats_port, mongo_port = free_port(), free_port()
    mongo_url = f"mongodb://127.0.0.1:{mongo_port}/?replicaSet=libra&serverSelectionTimeoutMS=500"
    tiny = start(f"nats://127.0.0.1:{nats_port}", mongo_url)
    assert not health.serving(tiny.port)
    assert tiny.metric('libra_ready{service="tiny"} 0.0')
    assert "LIBRA_MONGO_URL" in tiny.says("process_waits")["reason"]
    assert tiny.says("bus_lost")["address"].endswith(str(nats_port))
    nats, mongo = NatsServer.start(tmp_path / "nats", port=nats_port), None
    try:
        tiny.says("bus_found")
        assert not health.serving(tiny.port)
        mongo = MongoServer.start(tmp_path / "mongo", port=mongo_port)
        tiny.says("process_ready")
        assert health.serving(tiny.port)
        assert tiny.end() == 0
    finally:
        nats.stop()
        if mongo:
            mongo.stop()


def test_the_signal_to_stop_is_heeded_while_it_waits(start: Start, nowhere: tuple[str, str]) -> None:
    tiny = start(*nowhere)
    assert tiny.port
    began = time.monotonic()
    assert tiny.end(signal.SIGINT) == 0
    assert time.monotonic() - began < 10


def test_a_frozen_mongod_is_noticed_and_holds_up_nothing(
    start: Start, nats_url: str, mongo_server: MongoServer
) -> None:
    tiny = start(nats_url, mongo_server.url)
    tiny.says("process_ready")
    try:
        mongo_server.process.send_signal(signal.SIGSTOP)
        assert "MongoDB" in tiny.says("process_not_ready")["reason"]
        assert not health.serving(tiny.port)
        assert tiny.metric('libra_ready{service="tiny"} 0.0')
        mongo_server.process.send_signal(signal.SIGCONT)
        tiny.says("process_ready", times=2)
        mongo_server.process.send_signal(signal.SIGSTOP)
        tiny.says("process_not_ready", times=2)
        began = time.monotonic()
        assert tiny.end() == 0
        assert time.monotonic() - began < 15
    finally:
        mongo_server.process.send_signal(signal.SIGCONT)


def test_servers_that_die_and_lose_their_data_are_found_again(start: Start, tmp_path: Path) -> None:
    nats, mongo = NatsServer.start(tmp_path / "nats"), MongoServer.start(tmp_path / "mongo")
    try:
        tiny = start(nats.url, mongo.url)
        tiny.says("process_ready")
        nats.kill()
        assert "NATS" in tiny.says("process_not_ready")["reason"]
        nats = NatsServer.start(tmp_path / "nats that is new", port=nats.port)
        tiny.says("process_ready", times=2)

        mongo.kill()
        assert "MongoDB" in tiny.says("process_not_ready", times=2)["reason"]
        with grpc.insecure_channel(f"127.0.0.1:{tiny.port}") as channel, pytest.raises(grpc.RpcError) as caught:
            RunServiceStub(channel).ListRuns(ListRunsRequest(), timeout=SECONDS)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        mongo = MongoServer.start(tmp_path / "mongo", port=mongo.port)
        tiny.says("process_ready", times=3)
        assert tiny.end() == 0
        assert not [line for line in tiny.lines() if line["level"] == "error"]
    finally:
        nats.stop()
        mongo.stop()


@pytest.mark.parametrize("mode", ["bug", "ends"])
def test_a_worker_that_fails_fails_the_process(
    start: Start, nats_url: str, mongo_server: MongoServer, mode: str
) -> None:
    tiny = start(nats_url, mongo_server.url, LIBRA_TINY_MODE=mode)
    assert tiny.process.wait(SECONDS) == 1
    line = tiny.says("worker_failed")
    assert line["level"] == "error"
    assert ("ZeroDivisionError" in line.get("exception", "")) is (mode == "bug")
    assert tiny.lines("process_stopped")


def test_a_worker_whose_part_is_away_begins_anew(start: Start, nats_url: str, mongo_server: MongoServer) -> None:
    tiny = start(nats_url, mongo_server.url, LIBRA_TINY_MODE="unavailable")
    tiny.says("worker_waits", times=2)
    tiny.wait(lambda: any(line.get("tries") == 3 for line in tiny.lines()), "it works at the third try")
    assert tiny.end() == 0


def test_a_second_signal_ends_it_at_once(start: Start, nats_url: str, mongo_server: MongoServer) -> None:
    tiny = start(nats_url, mongo_server.url, LIBRA_TINY_MODE="slow")
    tiny.says("process_ready")
    tiny.process.send_signal(signal.SIGTERM)
    tiny.says("process_not_ready")
    assert not health.serving(tiny.port)
    assert tiny.process.poll() is None
    began = time.monotonic()
    assert tiny.end() == -signal.SIGTERM
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("listener", ["LISTEN", "METRICS_LISTEN"])
def test_an_address_in_use_is_named(start: Start, nowhere: tuple[str, str], listener: str) -> None:
    first = start(*nowhere)
    ports = first.says("process_started")
    address = f"127.0.0.1:{ports['grpc_port'] if listener == 'LISTEN' else ports['metrics_port']}"
    second = start(*nowhere, **{f"LIBRA_TINY_{listener}": address})
    assert second.process.wait(SECONDS) == 1
    assert address in second.lines("process_stopped")[-1]["reason"]
