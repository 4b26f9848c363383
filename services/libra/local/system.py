"""The whole system in one data folder: start it, look at it, mend it, end it.

    with System.start(tmp_path, replicas={"judge": 2}) as system:     # nats-server, mongod, the services
        system.kill("judge-2")                  # SIGKILL
        system.start_part("judge-2")            # on the same ports and data

Every call may be made from any process: what runs is asked of the operating system, where it listens of `state.json`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from libra.core.errors import LibraError
from libra.local import health, lock, log_files, open_files, processes, settings, state, topology
from libra.local.servers import MongoServer, NatsServer

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import psutil

START_SECONDS = 90.0
"""All services together, from their start until they are ready; a busy processor makes it long."""
DRAIN_SECONDS = 40.0
"""A service may finish the work in hand; what it has not finished by then is done again by the next."""
SERVER_STOP_SECONDS = 30.0
LOCK_SECONDS = 240.0
LOOK_SECONDS = 0.1
TAIL_LINES = 20

Say = Callable[[str], None]


class PartFailed(LibraError):
    """A part did not come up; the message ends with its log."""


def quiet(_: str) -> None:
    """Say nothing."""


class System:
    """The parts of the system in `folder`, running or not."""

    def __init__(
        self,
        folder: Path,
        *,
        replicas: Mapping[str, int] | None = None,
        variables: Mapping[str, str] | None = None,
        say: Say = quiet,
    ) -> None:
        """Take the data folder, what the environment has besides the inherited, and who is told what goes on.

        `replicas` says how many there are of a service; None: as many as the last time, and one of each at the first.
        """
        self.folder = folder.resolve()
        self._variables, self._say, self._replicas = dict(variables or {}), say, replicas
        self.settings = settings.load(self._variables)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        """What this very object started: a child must be asked for its status, or it stays as a zombie."""

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        replicas: Mapping[str, int] | None = None,
        variables: Mapping[str, str] | None = None,
        say: Say = quiet,
    ) -> Self:
        """Return the system in `folder` with every part up and ready; raise PartFailed, leaving nothing behind."""
        system = cls(folder, replicas=replicas, variables=variables, say=say)
        system.up()
        return system

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def up(self) -> list[str]:
        """Start what does not run, wait until every service is ready, and return the names of what was started.

        Raises PartFailed, ServerFailed or NoBinary after it has ended what it started; what ran before goes on.
        """
        with lock.held(self.folder, LOCK_SECONDS, self._say):
            return self._start([name for name in self.own_parts() if name not in self.running()])

    def start_part(self, name: str, *, wait: bool = True) -> None:
        """Start one part; nothing happens if it runs. Return when it is ready, or for `wait=False` when it is on its way.

        A server answers in any case. A service is not ready while a server is away.
        """
        with lock.held(self.folder, LOCK_SECONDS, self._say):
            if name not in self.running():
                self._start([name], awaited=[name] if wait else [])

    def stop(self) -> list[str]:
        """End the services, which finish what they have in hand, then the servers; return the names of what ran.

        The data stays.
        """
        with lock.held(self.folder, LOCK_SECONDS, self._say):
            ran = self.running()
            self._end(ran)
            self._end(self.running())  # what was started in between, by hand
            return [name for name in self.names if name in ran]

    def kill(self, name: str) -> None:
        """End one part at once, as a power cut would; LibraError if it does not run."""
        processes.kill([self._process(name)])
        self._reap()

    def pid(self, name: str) -> int:
        """Return the process id of a part; LibraError if it does not run."""
        return self._process(name).pid

    def running(self) -> dict[str, psutil.Process]:
        """Return the running parts, by name."""
        return processes.of(self.folder)

    def ready(self, name: str) -> bool:
        """Tell whether a part does its work: its own process listens, and whoever asks there is answered."""
        return self._ready(name, self.running().get(name))

    def own_parts(self) -> list[str]:
        """Return the names of the parts that are started here: all but the servers that the environment names."""
        elsewhere = {topology.NATS: self.settings.nats_url, topology.MONGO: self.settings.mongo_url}
        return [name for name in self.names if not elsewhere.get(name)]

    def log(self, name: str) -> Path:
        """Return the file with a part's log."""
        return log_files.path(self.folder, name)

    @property
    def names(self) -> list[str]:
        """The names of all parts."""
        if self._replicas is None:
            return list(self.ports) or list(topology.PARTS)
        return topology.names(self._replicas)

    def target(self, service: str) -> str:
        """Return what a gRPC client is given to reach the replicas of a service."""
        return topology.target(self.ports, service)

    @property
    def ports(self) -> dict[str, topology.Ports]:
        """Where each part listens; empty before the first start."""
        return state.load(self.folder)

    @property
    def addresses(self) -> dict[str, str]:
        """The address of each part, "127.0.0.1:<port>"; a service's is that of its gRPC."""
        return {name: ports.address for name, ports in self.ports.items()}

    @property
    def nats_url(self) -> str:
        """What the services are given as LIBRA_NATS_URL."""
        return self.settings.nats_url or f"nats://{self.addresses[topology.NATS]}"

    @property
    def mongo_url(self) -> str:
        """What the services are given as LIBRA_MONGO_URL."""
        return self.settings.mongo_url or f"mongodb://{self.addresses[topology.MONGO]}/?replicaSet=libra"

    def _start(self, names: Sequence[str], *, awaited: Sequence[str] | None = None) -> list[str]:
        open_files.raise_limit()
        state.settle(self.folder, self.running(), self.names)
        offsets = {name: log_files.size(self.log(name)) for name in self.names}
        try:
            for name in names:
                self._say(f"starting {name}")
                self._start_one(name)
            awaited = self.names if awaited is None else awaited
            self._await([name for name in awaited if name not in topology.SERVERS], offsets)
        except BaseException:
            self._take_back(names)
            raise
        return list(names)

    def _start_one(self, name: str) -> None:
        log = log_files.prepare(self.folder, name)
        port = self.ports[name].main
        place = processes.working_folder(self.folder, name)
        if name == topology.NATS:
            server = NatsServer.start(place, port=port, store_bytes=self.settings.nats_store_bytes)
            self._children[name] = server.process
            return
        if name == topology.MONGO:
            self._children[name] = MongoServer.start(place, port=port).process
            return
        told = topology.environment(name, self.ports, nats_url=self.nats_url, mongo_url=self.mongo_url)
        with log.open("ab") as output:
            self._children[name] = subprocess.Popen(  # noqa: S603 - our own command line
                [sys.executable, "-m", f"libra.{topology.kind(name)}", name],  # the name is for whoever looks for it
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=place,
                env={**settings.inherited(), **told, **self._variables},
                start_new_session=True,
            )

    def _await(self, names: Sequence[str], offsets: Mapping[str, int]) -> None:
        last = time.monotonic() + START_SECONDS
        awaited, told, running = list(names), "", self.running()
        while awaited := [name for name in awaited if not self._ready(name, running.get(name))]:
            if told != (told := ", ".join(awaited)):
                self._say(f"waiting for {told}")
            running = self.running()
            for name in awaited:
                if name not in running and not self._lives(name):
                    raise self._failed(name, "ended", offsets)
            if time.monotonic() > last:
                raise self._failed(awaited[0], f"was not ready within {START_SECONDS:.0f} s", offsets)
            time.sleep(LOOK_SECONDS)

    def _ready(self, name: str, process: psutil.Process | None) -> bool:
        port = self.ports[name].main
        if process is None or not processes.listens(process, port):
            return False
        return health.listening(port) if name in topology.SERVERS else health.serving(port)

    def _lives(self, name: str) -> bool:
        """Tell whether what this object started goes on. For a moment after its start a process has no command line."""
        return name in self._children and self._children[name].poll() is None

    def _failed(self, name: str, what: str, offsets: Mapping[str, int]) -> PartFailed:
        file = self.log(name)
        end = log_files.tail(file, TAIL_LINES, start=offsets[name]).rstrip() or "(it wrote nothing)"
        return PartFailed(f"{name} {what}. The end of {file}:\n{end}")

    def _end(self, running: Mapping[str, psutil.Process]) -> None:
        services = [process for name, process in running.items() if name not in topology.SERVERS]
        if services:
            self._say("the services finish what they have in hand")
            processes.end(services, DRAIN_SECONDS)
        processes.end([process for name, process in running.items() if name in topology.SERVERS], SERVER_STOP_SECONDS)
        self._reap()

    def _take_back(self, names: Sequence[str]) -> None:
        """End what was started; at once, if whoever interrupted the start interrupts this too."""
        self._say("ending what was started")
        try:
            while started := self._running_of(names):
                self._end(started)
                time.sleep(LOOK_SECONDS)  # what was only just on its way has a command line by then
        finally:
            processes.kill(list(self._running_of(names).values()))
            self._abandon(names)

    def _running_of(self, names: Sequence[str]) -> dict[str, psutil.Process]:
        return {name: process for name, process in self.running().items() if name in names}

    def _abandon(self, names: Sequence[str]) -> None:
        """End what was started only just now, and could not be found by its command line yet."""
        for name in names:
            if name in self._children and self._children[name].poll() is None:
                self._children[name].kill()
                self._children[name].wait()

    def _reap(self) -> None:
        self._children = {name: child for name, child in self._children.items() if child.poll() is None}

    def _process(self, name: str) -> psutil.Process:
        try:
            return self.running()[name]
        except KeyError:
            raise LibraError(f"{name} does not run in {self.folder}") from None
