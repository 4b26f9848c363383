"""All services of a run with mutual TLS and tokens; the certificates are replaced between two runs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from libra.local import settings
from libra.local.servers import MongoServer, NatsServer, free_port

SERVICES = ("dispatch", "attack", "gateway", "judge", "ranking")
NAMES = "dispatch.libra,attack.libra,gateway.libra,judge.libra,ranking.libra"
SECRET = "planted-admin-secret-0123456789abcdef"


def write_certificates(folder: Path) -> None:
    """Replace all certificates, with those of a new authority."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "new")
    (folder / "new").replace(folder / "ca.pem")
    for name in (*SERVICES, "client"):
        leaf = authority.issue_cert("localhost", f"{name}.libra")
        for suffix, content in (("pem", leaf.cert_chain_pems[0]), ("key", leaf.private_key_pem)):
            content.write_to_path(folder / "new")
            (folder / "new").replace(folder / f"{name}.{suffix}")


def tls_variables(folder: Path, name: str) -> dict[str, str]:
    return {
        "LIBRA_TLS_CA_FILE": str(folder / "ca.pem"),
        "LIBRA_TLS_CERT_FILE": str(folder / f"{name}.pem"),
        "LIBRA_TLS_KEY_FILE": str(folder / f"{name}.key"),
    }


@dataclass
class Fleet:
    """The processes, and the variables of their callers."""

    folder: Path
    addresses: dict[str, str]

    async def libra(self, *arguments: str, token: str = "") -> str:
        """Run a command, which must succeed; return its output."""
        addresses = {f"LIBRA_{name.upper()}_ADDRESS": address for name, address in self.addresses.items()}
        caller = {"LIBRA_TOKEN": token} if token else {"LIBRA_TOKEN_FILE": str(self.folder / "admin")}
        environ = settings.inherited_environment() | tls_variables(self.folder, "client") | addresses | caller
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "libra.cli",
            *arguments,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        return output.decode()

    async def wait_until_ready(self) -> None:
        """Wait until every service has reached NATS and MongoDB."""
        async with asyncio.timeout(60):
            while any("process_ready" not in (self.folder / f"{name}.log").read_text() for name in SERVICES):
                await asyncio.sleep(0.05)


async def start(service: str, environ: dict[str, str], log: Path) -> asyncio.subprocess.Process:
    """Start a service that writes to `log`."""
    with log.open("wb") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", f"libra.{service}", env=environ, stdout=output, stderr=output
        )


@asynccontextmanager
async def fleet(folder: Path, nats_url: str, mongo_url: str, database: str) -> AsyncIterator[Fleet]:
    write_certificates(folder)
    (folder / "admin").write_text(SECRET)
    (folder / "admin").chmod(0o600)
    addresses = {name: f"localhost:{free_port()}" for name in SERVICES}
    shared = settings.inherited_environment() | {
        "LIBRA_NATS_URL": nats_url,
        "LIBRA_MONGO_URL": mongo_url,
        "LIBRA_MONGO_DATABASE": database,
        "LIBRA_ACCESS": "tokens",
        "LIBRA_ADMIN_TOKEN_FILE": str(folder / "admin"),
        "LIBRA_TLS_CLIENT_CA_FILE": str(folder / "ca.pem"),
        "LIBRA_TLS_SERVICE_NAMES": NAMES,
        "LIBRA_DISPATCH_ATTACK_ADDRESS": addresses["attack"],
        "LIBRA_DISPATCH_JUDGE_ADDRESS": addresses["judge"],
        "LIBRA_ATTACK_GATEWAY_ADDRESS": addresses["gateway"],
        "LIBRA_JUDGE_GATEWAY_ADDRESS": addresses["gateway"],
    }
    started = []
    for name, address in addresses.items():
        own = {
            f"LIBRA_{name.upper()}_LISTEN": address,
            f"LIBRA_{name.upper()}_METRICS_LISTEN": f"127.0.0.1:{free_port()}",
        }
        started.append(await start(name, shared | tls_variables(folder, name) | own, folder / f"{name}.log"))
    try:
        yield Fleet(folder, addresses)
    finally:
        for process in started:
            process.terminate()
        async with asyncio.timeout(40):
            statuses = [await process.wait() for process in started]
    assert statuses == [0] * len(SERVICES)


async def test_runs_are_carried_out_before_and_after_all_certificates_were_replaced(
    tmp_path: Path, nats_server: NatsServer, nats_url: str, mongo_server: MongoServer, database: str
) -> None:
    run = (
        "run",
        "create",
        "--model",
        "careful",
        "--task",
        "code_word",
        "--attack",
        "none",
        "--samples",
        "4",
        "--watch",
    )
    async with fleet(tmp_path, nats_url, mongo_server.url, database) as running:
        await running.wait_until_ready()
        token = (await running.libra("token", "create", "ci", "--role", "runner")).split()[0]
        assert "finished" in await running.libra(*run, token=token)
        write_certificates(tmp_path)
        assert "finished" in await running.libra(*run, "--name", "second", token=token)
        log = await running.libra("audit-log")
        assert log.count("CreateRun") == 4, log
        assert "the audit log is intact" in await running.libra("audit-log", "--verify")
    text = "".join(file.read_text() for file in tmp_path.glob("*.log"))
    assert "process_ready" in text
    for secret in (SECRET, token, token.rpartition("_")[2], "PRIVATE KEY"):
        assert secret not in text
