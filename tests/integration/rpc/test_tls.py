"""TLS and mutual TLS between a client and a server, whose files are replaced while both run."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
import trustme
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from prometheus_client import CollectorRegistry

from libra.core.errors import Invalid, LibraError
from libra.local.servers import free_port
from libra.rpc import credential_channel
from libra.rpc.client import call, channel
from libra.rpc.credential_channel import Credentials
from libra.rpc.server import RpcServer
from libra.rpc.tls import ServerTls, Tls
from libra.telemetry.metrics import Metrics

SERVING = HealthCheckResponse.SERVING


def write(folder: Path, authority: trustme.CA) -> None:
    """Replace the files of a folder one by one, as a rotation does."""
    leaf = authority.issue_cert("localhost")
    for name, content in {
        "ca.pem": authority.cert_pem.bytes(),
        "cert.pem": b"".join(pem.bytes() for pem in leaf.cert_chain_pems),
        "key.pem": leaf.private_key_pem.bytes(),
    }.items():
        (folder / "new").write_bytes(content)
        (folder / "new").replace(folder / name)


def server_files(folder: Path, *, mutual: bool) -> ServerTls:
    return ServerTls(folder / "cert.pem", folder / "key.pem", folder / "ca.pem" if mutual else None)


def client_files(folder: Path) -> Tls:
    return Tls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")


@asynccontextmanager
async def served(files: ServerTls, **options: Any) -> AsyncIterator[str]:
    server = RpcServer([], Metrics(CollectorRegistry()))
    port = await server.start("localhost:0", files.server_credentials(), **options)
    await server.set_ready(ready=True)
    try:
        yield f"localhost:{port}"
    finally:
        await server.stop(0)


async def check(opened: grpc.aio.Channel) -> int:
    reply = await call(HealthStub(opened).Check, HealthCheckRequest(), 2.0)
    return int(reply.status)


@pytest.mark.parametrize("mutual", [False, True])
async def test_a_client_with_the_right_files_is_served(tmp_path: Path, mutual: bool) -> None:  # noqa: FBT001 - a parameter
    write(tmp_path, trustme.CA())
    async with served(server_files(tmp_path, mutual=mutual)) as address:
        async with channel(address, Credentials(client_files(tmp_path))) as opened:
            assert await check(opened) == SERVING
        async with channel(address) as opened:
            with pytest.raises(LibraError):
                await check(opened)


async def test_a_caller_without_a_certificate_of_the_authority_is_refused(tmp_path: Path) -> None:
    own, foreign = tmp_path / "own", tmp_path / "foreign"
    for folder in (own, foreign):
        folder.mkdir()
        write(folder, trustme.CA())
    stranger = Tls(own / "ca.pem", foreign / "cert.pem", foreign / "key.pem")
    async with served(server_files(own, mutual=True)) as address:
        for tls in (Tls(own / "ca.pem"), stranger, client_files(foreign)):
            async with channel(address, Credentials(tls)) as opened:
                with pytest.raises(LibraError):
                    await check(opened)


async def test_replaced_files_are_used_by_both_sides_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential_channel, "CHECK_SECONDS", 0.0)
    write(tmp_path, trustme.CA())
    old = tmp_path / "old"
    old.mkdir()
    for name in ("ca.pem", "cert.pem", "key.pem"):
        os.link(tmp_path / name, old / name)
    async with (
        served(server_files(tmp_path, mutual=True)) as address,
        channel(address, Credentials(client_files(tmp_path))) as opened,
    ):
        stub = HealthStub(opened)
        watch = stub.Watch(HealthCheckRequest())
        assert (await watch.read()).status == SERVING
        write(tmp_path, trustme.CA())
        for _ in range(3):
            assert (await call(stub.Check, HealthCheckRequest(), 5.0)).status == SERVING
        async with channel(address, Credentials(client_files(old))) as outdated:
            with pytest.raises(LibraError):
                await check(outdated)
        assert not watch.done(), "a stream of before the change goes on"
        watch.cancel()


async def test_a_key_that_does_not_belong_to_the_certificate_yet_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential_channel, "CHECK_SECONDS", 0.0)
    write(tmp_path, trustme.CA())
    async with (
        served(server_files(tmp_path, mutual=False)) as address,
        channel(address, Credentials(client_files(tmp_path))) as opened,
    ):
        assert await check(opened) == SERVING
        trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(tmp_path / "key.pem")
        assert await check(opened) == SERVING
        async with channel(address, Credentials(Tls(tmp_path / "ca.pem"))) as another:
            assert await check(another) == SERVING


async def test_replicas_at_one_host_have_one_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    files = server_files(tmp_path, mutual=False)
    async with served(files) as one, served(files) as other:
        ports = [address.rpartition(":")[2] for address in (one, other)]
        for count in (1, 2):
            target = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports[:count])
            async with channel(target, Credentials(Tls(tmp_path / "ca.pem"))) as opened:
                assert await check(opened) == SERVING
        async with channel(
            f"ipv4:127.0.0.1:{ports[0]},127.0.0.2:{ports[1]}", Credentials(Tls(tmp_path / "ca.pem"))
        ) as opened:
            with pytest.raises(LibraError):
                await check(opened)


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    write(tmp_path, trustme.CA())
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(Invalid, match=r"cert\.pem and the key .*key\.pem cannot be used"):
        server_files(tmp_path, mutual=False).server_credentials()


async def test_probes_read_health_in_plain_text_on_a_port_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, trustme.CA())
    probe = f"127.0.0.1:{free_port()}"
    async with served(server_files(tmp_path, mutual=True), health_address=probe), channel(probe) as opened:
        assert await check(opened) == SERVING
