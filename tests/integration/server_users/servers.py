"""A real nats-server and a real mongod that accept the users of `deploy/users` only, and services that use them."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.users import files, mongodb
from deploy.users.permissions import ADMIN
from pymongo import MongoClient

from libra.local import servers, settings
from libra.local.programs import binaries
from libra.local.servers import MongoServer, NatsServer, free_port
from libra.local.topology import HOST, Ports, service_environment

if TYPE_CHECKING:
    from typing import Self

DATABASE = "libra"
SECONDS = 100.0
"""A limit for a machine that is busy with other tests."""

SERVICES = ("dispatch", "attack", "gateway", "judge", "ranking", "arena")


class NatsWithUsers(NatsServer):
    """A nats-server with the part of its configuration that has the users."""

    @classmethod
    def start_with(cls, folder: Path, port: int, users: Path) -> Self:
        folder = servers._create_data_folder(folder)
        config = folder / "nats-server.conf"
        config.write_text(
            f'listen: "{HOST}:{port}"\nmax_payload: {servers.MAX_PAYLOAD_BYTES}\n'
            f'jetstream {{ store_dir: "{folder / "data"}" }}\ninclude "{os.path.relpath(users, folder)}"\n'
        )
        return cls._run(folder, port, [str(binaries.nats_server()), "--config", str(config)])


class MongoWithUsers(MongoServer):
    """A mongod that accepts nobody without a user; a new one trusts its own machine until there is a user."""

    @classmethod
    def start_with(cls, folder: Path, port: int) -> Self:
        folder = servers._create_data_folder(folder)
        key_file = folder / "key"
        key_file.write_text(secrets.token_hex(64))
        key_file.chmod(0o400)
        command = [
            str(binaries.mongod()),
            *("--dbpath", str(folder / "data"), "--bind_ip", HOST, "--port", str(port), "--nounixsocket"),
            *("--replSet", mongodb.REPLICA_SET, "--oplogSize", "64", "--wiredTigerCacheSizeGB", "0.25"),
            *("--keyFile", str(key_file), "--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]
        return cls._run(folder, port, command)

    def is_ready(self) -> bool:
        return True


@dataclass
class World:
    """Both servers, and the services that run on them, each with its own user."""

    folder: Path
    nats: NatsWithUsers
    mongo: MongoWithUsers
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, Ports] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ports = {service: Ports(free_port(), free_port()) for service in SERVICES}

    def variables(self, user: str) -> dict[str, str]:
        return files.read_variables(self.folder / "secrets" / f"{user}.env")

    def environment(self, service: str) -> dict[str, str]:
        urls = self.variables(service)
        return settings.inherited_environment() | service_environment(
            service, self.ports, nats_url=urls["LIBRA_NATS_URL"], mongo_url=urls["LIBRA_MONGO_URL"]
        )

    def start(self, service: str, **variables: str) -> None:
        with self.log_path(service).open("ab") as log:
            self.processes[service] = subprocess.Popen(
                [sys.executable, "-m", f"libra.{service}"],
                env=self.environment(service) | variables,
                stdout=log,
                stderr=log,
            )

    def stop(self, *services: str) -> None:
        """Stop services as an operator does; each must end cleanly."""
        stopped = {service: self.processes.pop(service) for service in services}
        for process in stopped.values():
            process.send_signal(signal.SIGTERM)
        assert {service: process.wait(SECONDS) for service, process in stopped.items()} == dict.fromkeys(stopped, 0)

    def kill(self) -> None:
        """End what a failed test has left running."""
        for process in self.processes.values():
            process.kill()
            process.wait(SECONDS)

    def log_path(self, service: str) -> Path:
        return self.folder / f"{service}.log"

    def logs(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def wait_for_log(self, service: str, text: str) -> None:
        deadline = time.monotonic() + SECONDS
        while text not in (self.log_path(service).read_text() if self.log_path(service).exists() else ""):
            assert time.monotonic() < deadline, f"{service} has not logged {text!r}: {self.logs()[-4000:]}"
            time.sleep(0.05)

    def client(self, user: str) -> MongoClient[Mapping[str, object]]:
        return MongoClient(self.variables(user)["LIBRA_MONGO_URL"])


@contextmanager
def start_world(folder: Path) -> Iterator[World]:
    """Start both servers with the users of all services, as docs/deploy.md says."""
    nats_port, mongo_port = free_port(), free_port()
    users = folder / "secrets"
    files.create(
        users,
        f"nats://{HOST}:{nats_port}",
        f"mongodb://{HOST}:{mongo_port}/?replicaSet={mongodb.REPLICA_SET}",
        DATABASE,
    )
    mongo = MongoWithUsers.start_with(folder / "mongod", mongo_port)
    try:
        nats = NatsWithUsers.start_with(folder / "nats", nats_port, users / files.NATS_USERS)
        try:
            add_users(users, mongo_port)
            world = World(folder, nats, mongo)
            try:
                yield world
            finally:
                world.kill()
        finally:
            nats.stop()
    finally:
        mongo.stop()


def add_users(users: Path, port: int) -> None:
    """Create the users of a new mongod, and apply them twice: an upgrade does so again."""
    passwords = files.read_passwords(users)
    local = f"mongodb://{HOST}:{port}/?directConnection=true"
    deadline = time.monotonic() + SECONDS
    with MongoClient[dict[str, object]](local) as client:
        while not mongodb.create_first_user(client, passwords, f"{HOST}:{port}"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    with MongoClient[dict[str, object]](files.with_user(local, ADMIN, passwords[ADMIN])) as client:
        for _ in range(2):
            mongodb.apply(client[DATABASE], passwords)
