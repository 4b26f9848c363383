"""The watchdog that `libra up` starts restarts servers that have ended, or that store nothing after a full disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.chaos.disk_full import Filler, MountRefused, small_disk

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.core.errors import Unavailable
from libra.local import processes, server_health
from libra.local.system import System
from libra.local.topology import MONGO, NATS, WATCHDOG
from libra.stage.bus import Outgoing

pytestmark = pytest.mark.timeout(240)

WAIT_SECONDS = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The data folder, on a disk of its own where this user may mount one."""
    try:
        with small_disk(tmp_path / "disk", megabytes=700) as disk:
            yield disk / "data"
    except MountRefused:
        yield tmp_path / "data"


@pytest.fixture
def system(folder: Path) -> Iterator[System]:
    """The two servers and the watchdog."""
    system = System(folder)
    try:
        system.start_part(NATS)
        system.start_part(MONGO)
        system.start_watchdog()
        yield system
    finally:
        system.stop()
        assert processes.find_watchdogs(folder) == []


def wait_until(holds: Callable[[], bool]) -> None:
    deadline_seconds = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline_seconds
        time.sleep(0.2)


def test_killed_servers_are_restarted(system: System) -> None:
    before = {name: system.pid(name) for name in (NATS, MONGO)}
    for name in before:
        system.kill(name)
    wait_until(lambda: all(system.is_ready(name) for name in before))
    assert all(system.pid(name) != pid for name, pid in before.items())
    assert system.log_path(WATCHDOG).read_text().count("a server was restarted") == 2


async def test_a_server_that_stores_nothing_is_restarted_when_there_is_space_again(
    system: System, folder: Path
) -> None:
    if not folder.parent.is_mount():
        pytest.skip("this user may not mount a file system")
    filler, monitor_port = Filler(folder), system.ports[NATS].metrics
    bus = NatsBus(system.nats_url, name="test", stage_bytes=4_000_000)
    await bus.open()
    try:
        await bus.ensure()
        filler.fill()
        message = Outgoing(streams.WORK_JUDGE, "key", bytes(500_000))
        with pytest.raises(Unavailable):
            await bus.publish(message, {})
        assert "no space left" in server_health.find_nats_problem(monitor_port)
        pid = system.pid(NATS)  # not restarted meanwhile: it would fail again
        filler.remove()
        wait_until(lambda: NATS in system.running() and system.pid(NATS) != pid and system.is_ready(NATS))
        await asyncio.sleep(2)  # the client connects again
        await bus.publish(message, {})
        await bus.check_writes()
    finally:
        await bus.close()
    wait_until(lambda: MONGO in system.running())
