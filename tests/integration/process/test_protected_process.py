"""A real process with mutual TLS and tokens, called by the command line as an operator does."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
import trustme
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from tests.integration.support.service_process import running

from libra.local import settings
from libra.local.servers import MongoServer, free_port
from libra.rpc.client import call, channel

SECRET = "planted-admin-secret-0123456789abcdef"


def write_files(folder: Path) -> dict[str, str]:
    """Write certificates and a secret, and return the variables that name them."""
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    leaf.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    (folder / "admin").write_text(SECRET)
    (folder / "admin").chmod(0o600)
    names = {"CA": "ca.pem", "CERT": "cert.pem", "KEY": "key.pem"}
    return {f"LIBRA_TLS_{name}_FILE": str(folder / file) for name, file in names.items()}


async def libra(*arguments: str, **variables: str) -> tuple[int, str]:
    """Run the command line and return its exit code and output."""
    environ = settings.inherited_environment() | variables
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
    return process.returncode or 0, output.decode()


async def wait_until_serving(opened: grpc.aio.Channel) -> None:
    async with asyncio.timeout(90):
        await opened.channel_ready()
        while (await call(HealthStub(opened).Check, HealthCheckRequest(), 9.0)).status != HealthCheckResponse.SERVING:
            await asyncio.sleep(0.1)


async def test_an_operator_protects_dispatch_and_creates_the_first_tokens(
    tmp_path: Path, nats_url: str, mongo_server: MongoServer, store: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    files, probe = write_files(tmp_path), f"127.0.0.1:{free_port()}"
    server = files | {
        "LIBRA_TLS_CLIENT_CA_FILE": files["LIBRA_TLS_CA_FILE"],
        "LIBRA_ACCESS": "tokens",
        "LIBRA_TLS_SERVICE_NAMES": "attack.libra,judge.libra",
        "LIBRA_ADMIN_TOKEN_FILE": str(tmp_path / "admin"),
        "LIBRA_DISPATCH_HEALTH_LISTEN": probe,
    }
    database = store._database.name
    async with running("dispatch", nats_url, mongo_server, database, **server) as process, channel(probe) as opened:
        await wait_until_serving(opened)
        client = files | {"LIBRA_DISPATCH_ADDRESS": process.address}
        admin = client | {"LIBRA_TOKEN_FILE": str(tmp_path / "admin")}
        code, secret = await libra("token", "create", "viewer", "--role", "reader", "--expires", "1h", **admin)
        token = secret.split()[0]
        assert (code, token.startswith("libra_")) == (0, True)
        reader = client | {"LIBRA_TOKEN": token}
        results = await asyncio.gather(
            libra("run", "list", **reader),
            libra("token", "revoke", "viewer", **reader),
            libra("run", "list", **client),
            libra("run", "list", **reader | {"LIBRA_TLS_CERT_FILE": "", "LIBRA_TLS_KEY_FILE": ""}),
            libra("audit-log", **admin),
            libra("audit-log", "--verify", **admin),
            libra("audit-log", "--verify", "--head", "1:0123", **admin),
        )
    assert [code for code, _ in results] == [0, 2, 2, 3, 0, 0, 1], results
    assert "has the role reader" in results[1][1]
    assert "the call has no token" in results[2][1]
    assert "viewer" in results[4][1]
    assert "the audit log is intact" in results[5][1]
    assert "does not contain the noted end 1:0123" in results[6][1]
    log = capfd.readouterr()
    for planted in (SECRET, token.rpartition("_")[2]):
        assert planted not in log.out + log.err + "".join(output for _, output in results)


async def test_changes_are_in_the_audit_log_also_while_access_is_off(
    nats_url: str, mongo_server: MongoServer, store: Any
) -> None:
    async with running("dispatch", nats_url, mongo_server, store._database.name) as process:
        client = {"LIBRA_DISPATCH_ADDRESS": process.address}
        await wait_until_serving(process.channel)
        add = ("models", "add", "mine", "--no-test", "--url", "https://models.example/v1")
        assert (await libra(*add, **client))[0] == 0
        assert (await libra("models", "remove", "other", **client))[0] == 2
        code, verified = await libra("audit-log", "--verify", **client)
    assert (code, "the audit log is intact: 4 entries" in verified) == (0, True), verified
    entries = await store.audit_log.list(after_seq=0, limit=10)
    assert [(entry.caller, entry.resource, entry.result) for entry in entries] == [
        ("anonymous:127.0.0.1", "mine", "STARTED"),
        ("anonymous:127.0.0.1", "mine", "OK"),
        ("anonymous:127.0.0.1", "other", "STARTED"),
        ("anonymous:127.0.0.1", "other", "NOT_FOUND"),
    ]


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0"])
def test_a_process_refuses_to_listen_for_others_without_protection(listen: str) -> None:
    environ = settings.inherited_environment() | {"LIBRA_DISPATCH_LISTEN": listen}
    command = [sys.executable, "-m", "libra.dispatch"]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert f"other machines reach {listen}" in ended.stderr
