"""A real nats-server and a real mongod, each in a folder of its own: configuration, data and log."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import psutil

from libra.core.errors import LibraError, Unavailable
from libra.local import binaries, open_files, processes, shared_libraries
from libra.store import replica_set

if TYPE_CHECKING:
    from typing import Self

HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
LOOK_SECONDS = 0.05
CONNECT_SECONDS = 2.0
TAIL_CHARACTERS = 2000
MERE_INFORMATION = ("[INF]", '"s":"I"')
"""How nats-server and mongod mark a line that tells of no trouble."""

NOT_RUNNABLE = (
    "It is built for another system: set LIBRA_NATS_URL and LIBRA_MONGO_URL to servers of your own. The wheels have "
    "servers for Linux with glibc 2.34 and newer, and for macOS on Arm."
)

MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
"""nats-server's own upper limit. A batch is at most 512 KiB unless a single trial is larger."""

MONGO_CACHE_GB = 0.25
"""The least that WiredTiger takes; the ledger is mostly appended to."""

OPLOG_MB = 512
"""With a single member nobody reads it; it bounds what a start after a crash replays."""


class ServerFailed(LibraError):
    """A server did not come up; the message holds the end of its log."""


@dataclass(slots=True)
class _Server(ABC):
    """One process, and the folder that outlives it."""

    name: ClassVar[str]

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    log_start: int
    """Where in the log this process began."""

    @property
    def log_path(self) -> Path:
        """Where the server writes what it has to say."""
        return self.folder / f"{self.name}.log"

    def stop(self) -> None:
        """End the process in order, by force after 20 seconds. Its data stays."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.send_signal(signal.SIGCONT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End the process at once, as a power cut would."""
        self.process.kill()
        self.process.wait()

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether the server does its work now."""

    def wait(self) -> None:
        """Return when it is this process that answers; otherwise end it and raise ServerFailed."""
        last = time.monotonic() + START_SECONDS
        try:
            while not (self._listens() and self.answers()):
                self._check(last)
                time.sleep(LOOK_SECONDS)
        except BaseException:
            self.kill()
            raise

    @classmethod
    def _run(cls, folder: Path, port: int, command: Sequence[str]) -> Self:
        """Start the process, in a session of its own: Ctrl-C in a terminal is for whoever started it to act on."""
        open_files.raise_limit()
        with (folder / f"{cls.name}.log").open("ab") as log:
            start = log.tell()
            try:
                process = subprocess.Popen(  # noqa: S603 - our own command line
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, start_new_session=True
                )
            except OSError as error:
                raise ServerFailed(f"{command[0]} cannot be run ({error.strerror}). {NOT_RUNNABLE}") from None
        server = cls(folder=folder, port=port, process=process, log_start=start)
        server.wait()
        return server

    def _listens(self) -> bool:
        try:
            return processes.listens(psutil.Process(self.process.pid), self.port)
        except psutil.NoSuchProcess:
            return False

    def _check(self, last: float) -> None:
        """Raise ServerFailed if the process has ended, or the moment `last` has passed."""
        if self.process.poll() is not None:
            raise ServerFailed(f"{self.name} ended with status {self.process.returncode}. {self._told()}")
        if time.monotonic() > last:
            raise ServerFailed(f"{self.name} did not answer within {START_SECONDS:.0f} s. {self._told()}")

    def _told(self) -> str:
        """Return what to do, as far as the log tells, and the end of the log, without its lines of mere information."""
        with self.log_path.open(errors="replace") as log:
            log.seek(self.log_start)
            lines = log.readlines()
        telling = [line for line in lines if not any(mark in line for mark in MERE_INFORMATION)] or lines
        tail = "".join(telling)[-TAIL_CHARACTERS:].strip()
        return f"{_remedy(tail)}The end of {self.log_path}:\n{tail}"


class NatsServer(_Server):
    """A nats-server with JetStream, for this machine only."""

    name = "nats-server"

    @classmethod
    def start(cls, folder: Path, *, port: int = 0, store_bytes: int = 0) -> Self:
        """Return a server that answers, on a free port unless one is given; raise ServerFailed or NoBinary.

        A folder that had a server before has its streams again. They take no more than `store_bytes`, unless that is 0.
        """
        place, port = _prepared(folder), _listenable(port)
        config = place / "nats-server.conf"
        most = f", max_file_store: {store_bytes}" if store_bytes else ""
        config.write_text(
            f'listen: "{HOST}:{port}"\nmax_payload: {MAX_PAYLOAD_BYTES}\n'
            f'jetstream {{ store_dir: "{place / "data"}"{most} }}\n'
        )
        return cls._run(place, port, [str(binaries.nats_server()), "--config", str(config)])

    @property
    def url(self) -> str:
        """What LIBRA_NATS_URL is set to."""
        return f"nats://{HOST}:{self.port}"

    def answers(self) -> bool:
        """Tell whether the server says INFO, as it does to whoever connects, once JetStream is up."""
        try:
            with socket.create_connection((HOST, self.port), CONNECT_SECONDS) as connection:
                return connection.recv(4) == b"INFO"
        except OSError:
            return False


class MongoServer(_Server):
    """A mongod that is the only member of the replica set "libra", for this machine only."""

    name = "mongod"

    @classmethod
    def start(cls, folder: Path, *, port: int = 0) -> Self:
        """Return a server that takes writes, on a free port unless one is given; raise ServerFailed or NoBinary.

        A folder that had a server before has its data again, whatever its port was.
        """
        place, port = _prepared(folder), _listenable(port)
        command = [
            str(binaries.mongod()),
            *("--dbpath", str(place / "data"), "--bind_ip", HOST, "--port", str(port), "--nounixsocket"),
            *("--replSet", replica_set.NAME, "--oplogSize", str(OPLOG_MB)),
            *("--wiredTigerCacheSizeGB", str(MONGO_CACHE_GB)),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]
        return cls._run(place, port, command)

    @property
    def url(self) -> str:
        """What LIBRA_MONGO_URL is set to."""
        return f"mongodb://{HOST}:{self.port}/?replicaSet={replica_set.NAME}"

    def answers(self) -> bool:
        """Tell whether the server takes writes; make it a replica set if it is none yet."""
        try:
            return replica_set.ensure_primary(HOST, self.port)
        except Unavailable:
            return False


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    return _listenable(0)


def _listenable(port: int) -> int:
    """Return `port`, or a free one for 0; raise ServerFailed if somebody listens there, who would answer in our stead."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ServerFailed(
                f"port {port} cannot be listened on ({error.strerror}): stop who does, or take another"
            ) from None
        free: int = probe.getsockname()[1]
    return free


def _prepared(folder: Path) -> Path:
    place = folder.resolve()
    (place / "data").mkdir(parents=True, exist_ok=True)
    return place


def _remedy(log: str) -> str:
    if missing := shared_libraries.remedy(log):
        return missing
    if "DBPathInUse" in log or "mongod.lock" in log:
        return "Another mongod works in this folder: stop it first. "
    return ""
