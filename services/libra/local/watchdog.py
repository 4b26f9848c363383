"""Restarts the local nats-server and mongod when they have ended, or when nats-server stores nothing any more.

Started by `libra up`, ended by `libra down`. On a full disk mongod ends, and nats-server stops writing until its next
start. The watchdog waits until there is space again, and then restarts them: on the same data, one at a time, with
growing pauses, and at most `MAX_RESTARTS` times in an hour.

    python -m libra.local.watchdog <data folder>
"""

from __future__ import annotations

import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from libra.core.errors import LibraError
from libra.local import server_health, topology
from libra.local.system import System
from libra.telemetry import logs
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

CHECK_SECONDS = 5.0
CONFIRMATIONS = 2
"""A problem must be seen this many times in a row: a server that someone restarts by hand is down for a moment."""

PAUSES_SECONDS = (0.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""The least time between two restarts of a server, by the number of its restarts within the last hour."""

MAX_RESTARTS = 20
HOUR_SECONDS = 3600.0


@dataclass(slots=True)
class RestartHistory:
    """The restarts of one server, and the problem that it has now."""

    restarted_seconds: deque[float] = field(default_factory=deque)
    problem: str = ""
    times_seen: int = 0
    reported: str = ""
    """The problem that was logged last, so that a lasting problem is logged once."""

    def observe(self, problem: str) -> bool:
        """Take over what is wrong now, "" if nothing is; return whether that is confirmed."""
        self.times_seen = self.times_seen + 1 if problem else 0
        self.problem = problem
        if not problem:
            self.reported = ""
        return self.times_seen >= CONFIRMATIONS

    def may_restart(self, now: float) -> bool:
        """Return whether the pause after the last restart is over, and the limit is not reached."""
        while self.restarted_seconds and self.restarted_seconds[0] <= now - HOUR_SECONDS:
            self.restarted_seconds.popleft()
        count = len(self.restarted_seconds)
        if count >= MAX_RESTARTS:
            return False
        pause_seconds = PAUSES_SECONDS[min(count, len(PAUSES_SECONDS) - 1)]
        return not count or now >= self.restarted_seconds[-1] + pause_seconds


class Watchdog:
    """Watches the servers of one system that run on this machine."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._histories = {name: RestartHistory() for name in topology.SERVERS if name in system.own_parts()}

    def run(self) -> None:
        """Check the servers again and again until their folder is deleted."""
        while self._system.folder.exists():
            for name in self._histories:
                self.check(name)
            time.sleep(CHECK_SECONDS)

    def check(self, name: str) -> None:
        """Restart the server if that is needed, possible and due."""
        history = self._histories[name]
        if not history.observe(self._find_problem(name)):
            return
        if server_health.is_disk_full(self._system.folder):
            self._report(name, "a server stands still: the disk is full; it is restarted once space is free")
        elif history.may_restart(time.monotonic()):
            self._restart(name)
        elif len(history.restarted_seconds) >= MAX_RESTARTS:
            self._report(name, "a server fails again and again; it is not restarted for the rest of the hour")

    def _find_problem(self, name: str) -> str:
        if name not in self._system.running():
            return "it has ended"
        ports = self._system.ports.get(name)
        return server_health.find_nats_problem(ports.metrics) if ports and ports.metrics else ""

    def _restart(self, name: str) -> None:
        history = self._histories[name]
        history.restarted_seconds.append(time.monotonic())
        problem, history.times_seen = history.problem, 0
        try:
            self._system.restart_server(name, is_needed=lambda: bool(self._find_problem(name)))
        except (LibraError, OSError) as error:
            log.error("a server could not be restarted", action=Action.SERVER_FAILED, part=name, reason=str(error))  # noqa: TRY400 - expected
        else:
            log.warning("a server was restarted", action=Action.SERVER_RESTARTED, part=name, reason=problem)

    def _report(self, name: str, event: str) -> None:
        history = self._histories[name]
        if history.reported != event:
            history.reported = event
            log.error(event, action=Action.SERVER_FAILED, part=name, reason=history.problem)


def main() -> None:
    """Watch the system in the folder that the command line names."""
    logs.setup(topology.WATCHDOG, "info", "json")
    Watchdog(System(Path(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
