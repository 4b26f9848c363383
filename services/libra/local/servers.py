"""Starts and stops a nats-server and a mongod, each in its own folder with configuration, data and log."""

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
from libra.local import environment, processes, settings
from libra.local.private_files import make_folder, open_private
from libra.local.programs import binaries, shared_libraries
from libra.local.topology import HOST
from libra.store.coordination import replica_set

if TYPE_CHECKING:
    from typing import Self

START_SECONDS = 60.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.05
CONNECT_SECONDS = 2.0
TAIL_CHARACTERS = 2000
INFO_MARKS = ("[INF]", '"s":"I"')
"""Marks of the log level "information" in the logs of nats-server and mongod."""

NOT_RUNNABLE = (
    "It is built for another system: set LIBRA_NATS_URL and LIBRA_MONGO_URL to your own servers. The wheels contain "
    "servers for Linux with glibc 2.34 or newer and for macOS on Arm."
)

MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
"""The largest message that nats-server accepts. A batch is at most 512 KiB unless a single trial is larger."""

TRANSACTION_SECONDS = 10
"""mongod aborts older transactions. One of a killed writer blocks its cells until then; Libra's take milliseconds."""

MONGO_CACHE_GB = 0.25
"""The minimum that WiredTiger accepts. It is enough, because the store mostly appends."""

OPLOG_MB = 512
"""It limits what a start after a crash replays; with one member, no other server reads the oplog."""


class ServerStartFailed(LibraError):
    """A server did not start; the message contains the end of its log."""


@dataclass(slots=True)
class _Server(ABC):
    """One server process and its folder, which remains when the process ends."""

    name: ClassVar[str]

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    log_start: int
    """The size of the log in bytes when this process started."""

    @property
    def log_path(self) -> Path:
        """The file that the server writes its log to."""
        return self.folder / f"{self.name}.log"

    def stop(self) -> None:
        """Stop the process with SIGTERM, and kill it if it still runs after 20 seconds. Its data stays."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.send_signal(signal.SIGCONT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Kill the process at once with SIGKILL. Its data stays."""
        self.process.kill()
        self.process.wait()

    @abstractmethod
    def is_ready(self) -> bool:
        """Return whether the server can be used now."""

    def wait_until_ready(self) -> None:
        """Return when this process listens and is ready; otherwise kill it and raise ServerStartFailed."""
        deadline = time.monotonic() + START_SECONDS
        try:
            while not (self._is_listening() and self.is_ready()):
                self._check_start(deadline)
                time.sleep(POLL_SECONDS)
        except BaseException:
            self.kill()
            raise

    @classmethod
    def _run(cls, folder: Path, port: int, command: Sequence[str]) -> Self:
        """Start the process in a new session, so that Ctrl-C in the terminal reaches only its parent."""
        processes.raise_file_limit()
        with open_private(folder / f"{cls.name}.log", "ab") as log:
            start = log.tell()
            try:
                process = subprocess.Popen(  # noqa: S603 - our own command line
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=folder,
                    env=environment.without_keys(settings.inherited_environment()),
                    start_new_session=True,
                )
            except OSError as error:
                raise ServerStartFailed(f"{command[0]} cannot be run ({error.strerror}). {NOT_RUNNABLE}") from None
        server = cls(folder=folder, port=port, process=process, log_start=start)
        server.wait_until_ready()
        return server

    def _is_listening(self) -> bool:
        try:
            return processes.is_listening(psutil.Process(self.process.pid), self.port)
        except psutil.NoSuchProcess:
            return False

    def _check_start(self, deadline: float) -> None:
        """Raise ServerStartFailed if the process has exited or the deadline has passed."""
        if self.process.poll() is not None:
            raise ServerStartFailed(f"{self.name} ended with status {self.process.returncode}. {self._explanation()}")
        if time.monotonic() > deadline:
            raise ServerStartFailed(f"{self.name} was not ready within {START_SECONDS:.0f} s. {self._explanation()}")

    def _explanation(self) -> str:
        """Return the remedy, if the log shows a known cause, and the end of the log without its informational lines."""
        with self.log_path.open(errors="replace") as log:
            log.seek(self.log_start)
            lines = log.readlines()
        warnings = [line for line in lines if not any(mark in line for mark in INFO_MARKS)] or lines
        tail = "".join(warnings)[-TAIL_CHARACTERS:].strip()
        return f"{_remedy(tail)}The end of {self.log_path}:\n{tail}"


class NatsServer(_Server):
    """A nats-server with JetStream that accepts connections from this machine only."""

    name = "nats-server"

    @classmethod
    def start(cls, folder: Path, *, port: int = 0, store_bytes: int = 0, monitor_port: int = 0) -> Self:
        """Return a ready server on `port` or, for 0, on a free port; raise ServerStartFailed or BinaryNotFound.

        Streams that the folder already has are kept. They take at most `store_bytes` on disk; 0: three quarters of the
        space that is free now. The server reports its health over HTTP on `monitor_port`, unless it is 0.
        """
        folder, port = _create_data_folder(folder), _bindable_port(port)
        config = folder / "nats-server.conf"
        limit = f", max_file_store: {store_bytes}" if store_bytes else ""
        monitor = f'http: "{HOST}:{monitor_port}"\n' if monitor_port else ""
        with open_private(config, "w") as file:
            file.write(
                f'listen: "{HOST}:{port}"\n{monitor}max_payload: {MAX_PAYLOAD_BYTES}\n'
                f'jetstream {{ store_dir: "{folder / "data"}"{limit} }}\n'
            )
        return cls._run(folder, port, [str(binaries.nats_server()), "--config", str(config)])

    @property
    def url(self) -> str:
        """The value for LIBRA_NATS_URL."""
        return f"nats://{HOST}:{self.port}"

    def is_ready(self) -> bool:
        """Return whether the server sends INFO to a new connection; it does so once JetStream is up."""
        try:
            with socket.create_connection((HOST, self.port), CONNECT_SECONDS) as connection:
                return connection.recv(4) == b"INFO"
        except OSError:
            return False


class MongoServer(_Server):
    """A mongod that accepts connections from this machine only, the single member of the replica set "libra"."""

    name = "mongod"

    @classmethod
    def start(cls, folder: Path, *, port: int = 0) -> Self:
        """Return a ready server on `port` or, for 0, on a free port; raise ServerStartFailed or BinaryNotFound.

        Data that the folder already has is kept, even if the port changes.
        """
        folder, port = _create_data_folder(folder), _bindable_port(port)
        command = [
            str(binaries.mongod()),
            *("--dbpath", str(folder / "data"), "--bind_ip", HOST, "--port", str(port), "--nounixsocket"),
            *("--replSet", replica_set.NAME, "--oplogSize", str(OPLOG_MB)),
            *("--wiredTigerCacheSizeGB", str(MONGO_CACHE_GB)),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_SECONDS}"),
        ]
        return cls._run(folder, port, command)

    @property
    def url(self) -> str:
        """The value for LIBRA_MONGO_URL."""
        return f"mongodb://{HOST}:{self.port}/?replicaSet={replica_set.NAME}"

    def is_ready(self) -> bool:
        """Return whether the server accepts writes; initiate its replica set if there is none yet."""
        try:
            return replica_set.ensure_primary(HOST, self.port)
        except Unavailable:
            return False


def free_port() -> int:
    """Return a port of this machine that no process listens on."""
    return _bindable_port(0)


def _bindable_port(port: int) -> int:
    """Return `port` or, for 0, a free port; raise ServerStartFailed if another process listens on it.

    Without this check, clients could reach that other process in place of the server.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ServerStartFailed(
                f"port {port} cannot be used ({error.strerror}): stop the process that listens on it, "
                f"or choose another port"
            ) from None
        free: int = probe.getsockname()[1]
    return free


def _create_data_folder(folder: Path) -> Path:
    """Create the server's folder with its folder `data`; return its absolute path."""
    folder = folder.resolve()
    make_folder(folder)
    make_folder(folder / "data")
    return folder


def _remedy(log: str) -> str:
    if missing := shared_libraries.find_remedy(log):
        return missing
    if "DBPathInUse" in log or "mongod.lock" in log:
        return "Another mongod uses this folder: stop it first. "
    return ""
