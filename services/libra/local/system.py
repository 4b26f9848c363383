"""Starts, inspects, repairs and stops the whole system in one data folder.

    with System.start(tmp_path, replicas={"judge": 2}) as system:     # nats-server, mongod, the services
        system.kill("judge-2")                  # SIGKILL
        system.start_part("judge-2")            # on the same ports and data

Every method works from any process: the operating system says which parts run, `state.json` says on which ports.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from libra.core.errors import FailedPrecondition, LibraError
from libra.local import (
    environment,
    health,
    lock,
    log_files,
    processes,
    server_health,
    settings,
    state,
    topology,
)
from libra.local.access import protection
from libra.local.private_files import open_private, restrict_system
from libra.local.servers import MongoServer, NatsServer

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import psutil

START_SECONDS = 90.0
"""Time in which all services together must become ready; long enough for a busy processor."""
DRAIN_SECONDS = 40.0
"""Time in which the services may finish started work; unfinished work is redelivered after the next start."""
SERVER_STOP_SECONDS = 30.0
LOCK_SECONDS = 240.0
POLL_SECONDS = 0.1
TAIL_LINES = 20

Say = Callable[[str], None]
"""A function that shows a progress message to the user."""


class ServiceStartFailed(LibraError):
    """A service did not become ready; the message contains the end of its log."""


def say_nothing(_: str) -> None:
    """Ignore a progress message."""


class System:
    """The parts of the system in `folder`, running or not."""

    def __init__(
        self,
        folder: Path,
        *,
        replicas: Mapping[str, int] | None = None,
        tls: bool | None = None,
        variables: Mapping[str, str] | None = None,
        say: Say = say_nothing,
    ) -> None:
        """Prepare the system in a data folder without starting it.

        `replicas` is the number of replicas by service; None means as many as at the last start, or one at the first.
        `tls` is whether the services have TLS and ask for tokens; None means as at the last start, or not at the first.
        `variables` are environment variables in addition to the inherited ones.
        """
        self.folder, self._tls = folder.resolve(), tls
        self._variables, self._say, self._replicas = dict(variables or {}), say, replicas
        self.settings = settings.load(self._variables)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        """Processes that this object started. Their exit status must be read, or they remain as zombies."""

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        replicas: Mapping[str, int] | None = None,
        tls: bool | None = None,
        variables: Mapping[str, str] | None = None,
        say: Say = say_nothing,
    ) -> Self:
        """Return the system in `folder` with every part ready; raise the errors of `up`."""
        system = cls(folder, replicas=replicas, tls=tls, variables=variables, say=say)
        system.up()
        return system

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def up(self) -> list[str]:
        """Start the parts that do not run, wait until every service is ready, and return the names of these parts.

        Raises DiskFull, FailedPrecondition if services run with TLS and are to run without it or the other way round,
        and after it has stopped the parts that it started ServiceStartFailed, ServerStartFailed or BinaryNotFound;
        parts that ran before continue.
        """
        with lock.acquire(self.folder, LOCK_SECONDS, self._say):
            if missing := [name for name in self.own_parts() if name not in self.running()]:
                server_health.require_space(self.folder)
            return self._start(missing)

    def start_part(self, name: str, *, wait: bool = True) -> None:
        """Start one part, unless it runs; return when it is ready or, for a service with `wait=False`, at once.

        A server is ready in either case. A service is not ready while a server is down.
        """
        with lock.acquire(self.folder, LOCK_SECONDS, self._say):
            if name not in self.running():
                self._start([name], awaited=[name] if wait else [])

    def start_watchdog(self) -> None:
        """Start the watchdog, unless it runs, the settings switch it off, or no server runs here."""
        with lock.acquire(self.folder, LOCK_SECONDS, self._say):
            servers = set(self.own_parts()) & set(topology.SERVERS)
            if servers and self.settings.watchdog and not processes.find_watchdogs(self.folder):
                command = [sys.executable, "-m", processes.WATCHDOG_MODULE, str(self.folder)]
                self._spawn(topology.WATCHDOG, command, self._environment(topology.WATCHDOG, {}))

    def restart_server(self, name: str, *, is_needed: Callable[[], bool]) -> None:
        """Stop a server that runs and start it again on its data, if that is still needed once nothing else changes it.

        Raises ServerStartFailed or BinaryNotFound.
        """
        with lock.acquire(self.folder, LOCK_SECONDS, self._say):
            if is_needed():
                processes.terminate(self._running_among([name]).values(), SERVER_STOP_SECONDS)
                self._reap()
                self._start_process(name)

    def stop(self) -> list[str]:
        """Stop the services, which finish their started work, then the servers; return the names of the parts that ran.

        The data stays.
        """
        with lock.acquire(self.folder, LOCK_SECONDS, self._say):
            processes.kill(processes.find_watchdogs(self.folder))
            ran = self.running()
            self._stop(ran)
            self._stop(self.running())  # a part that was started by hand meanwhile
            return [name for name in self.part_names if name in ran]

    def kill(self, name: str) -> None:
        """Kill one part at once with SIGKILL; LibraError if it does not run."""
        processes.kill([self._process(name)])
        self._reap()

    def pid(self, name: str) -> int:
        """Return the process id of a part; LibraError if it does not run."""
        return self._process(name).pid

    def running(self) -> dict[str, psutil.Process]:
        """Return the running parts, by name."""
        return processes.find_parts(self.folder)

    def is_ready(self, name: str) -> bool:
        """Return whether the part's own process listens on its port and answers there."""
        return self._is_ready(name, self.running().get(name))

    def own_parts(self) -> list[str]:
        """Return the parts that are started here: all except servers whose URL the environment sets."""
        urls = {topology.NATS: self.settings.nats_url, topology.MONGO: self.settings.mongo_url}
        return [name for name in self.part_names if not urls.get(name)]

    def log_path(self, name: str) -> Path:
        """Return the path of a part's log."""
        return log_files.path(self.folder, name)

    @property
    def part_names(self) -> list[str]:
        """The names of all parts, running or not."""
        if self._replicas is None:
            return list(self.ports) or list(topology.PARTS)
        return topology.part_names(self._replicas)

    def grpc_target(self, service: str) -> str:
        """Return the target with which a gRPC client reaches all replicas of a service."""
        return topology.grpc_target(self.ports, service)

    @property
    def ports(self) -> dict[str, topology.Ports]:
        """The ports of each part; empty before the first start."""
        return state.load(self.folder)

    @property
    def addresses(self) -> dict[str, str]:
        """The address of each part, "127.0.0.1:<port>"; of a service its gRPC, of web its pages."""
        return {name: ports.address for name, ports in self.ports.items()}

    @property
    def authorities(self) -> Path | None:
        """The authority of the services' certificate; None if they have no TLS."""
        found = protection.find(self.folder)
        return found.authorities if found else None

    @property
    def pages_url(self) -> str:
        """The address of the pages, "http://127.0.0.1:<port>"; empty before the first start."""
        return topology.pages_url(self.ports)

    @property
    def nats_url(self) -> str:
        """The value of LIBRA_NATS_URL for the services."""
        return self.settings.nats_url or f"nats://{self.addresses[topology.NATS]}"

    @property
    def mongo_url(self) -> str:
        """The value of LIBRA_MONGO_URL for the services."""
        return self.settings.mongo_url or f"mongodb://{self.addresses[topology.MONGO]}/?replicaSet=libra"

    def _start(self, names: Sequence[str], *, awaited: Sequence[str] | None = None) -> list[str]:
        """Start the parts `names` and wait for the services in `awaited` (default: all); undo the start on an error."""
        processes.raise_file_limit()
        restrict_system(self.folder, topology.SERVERS)
        self._protect()
        state.assign_ports(self.folder, self.running(), self.part_names)
        log_starts = {name: log_files.size(self.log_path(name)) for name in self.part_names}
        try:
            for name in names:
                self._say(f"starting {name}")
                self._start_process(name)
            awaited = self.part_names if awaited is None else awaited
            self._wait_until_ready([name for name in awaited if name not in topology.SERVERS], log_starts)
        except BaseException:
            self._undo_start(names)
            raise
        return list(names)

    def _protect(self) -> None:
        """Create the files of TLS and tokens, or delete them, as the next start needs them."""
        has_tls = protection.find(self.folder) is not None
        wants_tls = has_tls if self._tls is None else self._tls
        if wants_tls != has_tls and self.running().keys() - set(topology.SERVERS):
            raise FailedPrecondition(
                f"Libra runs {'with' if has_tls else 'without'} TLS in {self.folder}: run `libra down` first"
            )
        if wants_tls:
            protection.create(self.folder)
        elif has_tls:
            protection.remove(self.folder)

    def _start_process(self, name: str) -> None:
        log_files.prepare(self.folder, name)
        port = self.ports[name].main
        folder = processes.working_folder(self.folder, name)
        if name == topology.NATS:
            store_bytes, monitor_port = self.settings.nats_store_bytes, self.ports[name].metrics
            server = NatsServer.start(folder, port=port, store_bytes=store_bytes, monitor_port=monitor_port)
            self._children[name] = server.process
            return
        if name == topology.MONGO:
            self._children[name] = MongoServer.start(folder, port=port).process
            return
        connections = topology.service_environment(name, self.ports, nats_url=self.nats_url, mongo_url=self.mongo_url)
        # The service ignores the part's name on its command line; `processes` reads it there.
        command = [sys.executable, "-m", f"libra.{topology.service_of(name)}", name]
        self._spawn(name, command, self._environment(name, connections))

    def _spawn(self, name: str, command: Sequence[str], variables: Mapping[str, str]) -> None:
        """Start a process of Libra's own, in the data folder and with a log."""
        with open_private(log_files.prepare(self.folder, name), "ab") as output:
            self._children[name] = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env=dict(variables),
                start_new_session=True,
            )

    def _environment(self, name: str, connections: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of a process; only the gateway gets API keys."""
        inherited = settings.inherited_environment()
        own = environment.without_keys(inherited)
        if topology.service_of(name) == "gateway":
            own |= environment.for_gateway(inherited, self.settings.key_variables)
        allowed = environment.with_loopback(self.settings.allowed_networks)
        found = protection.find(self.folder)
        access = found.service_environment(name) if found else {}
        return {**own, **connections, **access, **self._variables, **allowed}

    def _wait_until_ready(self, names: Sequence[str], log_starts: Mapping[str, int]) -> None:
        deadline = time.monotonic() + START_SECONDS
        pending, message, running = list(names), "", self.running()
        while pending := [name for name in pending if not self._is_ready(name, running.get(name))]:
            if message != (message := f"waiting for {', '.join(pending)}"):
                self._say(message)
            running = self.running()
            for name in pending:
                if name not in running and not self._is_own_child_running(name):
                    raise self._start_failure(name, "ended", log_starts)
            if time.monotonic() > deadline:
                raise self._start_failure(pending[0], f"was not ready within {START_SECONDS:.0f} s", log_starts)
            time.sleep(POLL_SECONDS)

    def _is_ready(self, name: str, process: psutil.Process | None) -> bool:
        port = self.ports[name].main
        if process is None or not processes.is_listening(process, port):
            return False
        if topology.service_of(name) == topology.WEB:
            return health.answers_http(port)
        return (
            health.accepts_connections(port) if name in topology.SERVERS else health.is_serving(port, self.authorities)
        )

    def _is_own_child_running(self, name: str) -> bool:
        """Return whether this object started the part and it still runs.

        A new process has no command line for a moment, so `running` cannot find it yet.
        """
        return name in self._children and self._children[name].poll() is None

    def _start_failure(self, name: str, problem: str, log_starts: Mapping[str, int]) -> ServiceStartFailed:
        file = self.log_path(name)
        end = log_files.tail(file, TAIL_LINES, start=log_starts[name]).rstrip() or "(it wrote nothing)"
        return ServiceStartFailed(f"{name} {problem}. The end of {file}:\n{end}")

    def _stop(self, running: Mapping[str, psutil.Process]) -> None:
        services = [process for name, process in running.items() if name not in topology.SERVERS]
        servers = [process for name, process in running.items() if name in topology.SERVERS]
        if services:
            self._say("stopping the services; they finish their started work")
            processes.terminate(services, DRAIN_SECONDS)
        processes.terminate(servers, SERVER_STOP_SECONDS)
        self._reap()

    def _undo_start(self, names: Sequence[str]) -> None:
        """Stop the started parts; kill them at once if a second interrupt arrives meanwhile."""
        self._say("stopping the parts that were started")
        try:
            while started := self._running_among(names):
                self._stop(started)
                time.sleep(POLL_SECONDS)  # by then, a part that has just been started has a command line
        finally:
            processes.kill(list(self._running_among(names).values()))
            self._kill_children(names)

    def _running_among(self, names: Sequence[str]) -> dict[str, psutil.Process]:
        return {name: process for name, process in self.running().items() if name in names}

    def _kill_children(self, names: Sequence[str]) -> None:
        """Kill the parts that were started too recently to be found by their command line."""
        for name in names:
            if self._is_own_child_running(name):
                self._children[name].kill()
                self._children[name].wait()

    def _reap(self) -> None:
        self._children = {name: child for name, child in self._children.items() if child.poll() is None}

    def _process(self, name: str) -> psutil.Process:
        try:
            return self.running()[name]
        except KeyError:
            raise LibraError(f"{name} does not run in {self.folder}") from None
