"""TLS to real servers: CAs, client certificates, and the wrong protocol on a port."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from libra.core.settings import InvalidSettings
from libra.gateway.provider.http.tls import TlsFiles, tls_context
from libra.gateway.provider.result import FaultKind

from .conftest import MakeProvider, trustme
from .servers import fault_of, model_at, serving, text_of

ServerTls = Callable[..., ssl.SSLContext]


async def test_a_ca_of_your_own_is_trusted_by_its_setting(
    provider: MakeProvider, server_tls: ServerTls, ca_file: str
) -> None:
    async with serving(tls=server_tls("127.0.0.1")) as server:
        model = model_at(f"https://127.0.0.1:{server.port}/v1")
        fault = await fault_of(provider(), model)
        assert fault.kind == FaultKind.FINAL
        assert f"the certificate of 127.0.0.1:{server.port} is not accepted" in fault.reason
        assert "LIBRA_GATEWAY_CA_FILE" in fault.reason
        assert server.headers == []
        assert await text_of(provider(files=TlsFiles(ca=ca_file)), model) == "yes"


async def test_ssl_cert_file_is_read_as_by_other_programs(
    provider: MakeProvider, server_tls: ServerTls, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    async with serving(tls=server_tls("127.0.0.1")) as server:
        assert await text_of(provider(), model_at(f"https://127.0.0.1:{server.port}/v1")) == "yes"


async def test_a_certificate_for_another_name_and_an_expired_one_are_told_apart(
    provider: MakeProvider, server_tls: ServerTls, ca: Any, ca_file: str
) -> None:
    made = provider(files=TlsFiles(ca=ca_file))
    async with serving(tls=server_tls("other.test")) as server:
        fault = await fault_of(made, model_at(f"https://127.0.0.1:{server.port}/v1"))
    assert "use the host that the certificate names" in fault.reason
    expired = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    ca.issue_cert("127.0.0.1", not_before=past, not_after=past + dt.timedelta(days=1)).configure_cert(expired)
    async with serving(tls=expired) as server:
        fault = await fault_of(made, model_at(f"https://127.0.0.1:{server.port}/v1"))
    assert "expired" in fault.reason
    assert "needs a new certificate" in fault.reason


async def test_a_server_that_wants_a_client_certificate_gets_it(
    provider: MakeProvider, server_tls: ServerTls, ca: Any, ca_file: str, tmp_path: Path
) -> None:
    certificate = ca.issue_cert("gateway.test")
    one_file, cert, key = (str(tmp_path / name) for name in ("all.pem", "cert.pem", "key.pem"))
    certificate.private_key_and_cert_chain_pem.write_to_path(one_file)
    certificate.cert_chain_pems[0].write_to_path(cert)
    certificate.private_key_pem.write_to_path(key)
    async with serving(tls=server_tls("127.0.0.1", wants_certificate=True)) as server:
        model = model_at(f"https://127.0.0.1:{server.port}/v1")
        for files in (TlsFiles(ca_file, one_file), TlsFiles(ca_file, cert, key)):
            assert await text_of(provider(files=files), model) == "yes"
        fault = await fault_of(provider(files=TlsFiles(ca_file)), model)
        assert "LIBRA_GATEWAY_CLIENT_CERT_FILE" in fault.reason
        assert len(server.headers) == 2


@pytest.mark.parametrize(
    ("files", "variable"),
    [
        (TlsFiles(ca="/nowhere.pem"), "LIBRA_GATEWAY_CA_FILE"),
        (TlsFiles(ca=__file__), "LIBRA_GATEWAY_CA_FILE"),
        (TlsFiles(client_cert="/nowhere.pem"), "LIBRA_GATEWAY_CLIENT_CERT_FILE"),
        (TlsFiles(client_cert=__file__), "LIBRA_GATEWAY_CLIENT_CERT_FILE"),
        (TlsFiles(client_key="/nowhere.pem"), "LIBRA_GATEWAY_CLIENT_CERT_FILE"),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start(files: TlsFiles, variable: str) -> None:
    with pytest.raises(InvalidSettings, match=variable):
        tls_context(files)


def test_a_private_key_with_a_password_is_refused_without_a_prompt(tmp_path: Path) -> None:
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    certificate = trustme.CA().issue_cert("gateway.test")
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (tmp_path / "key.pem").write_bytes(encrypted)
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    with pytest.raises(InvalidSettings, match="password"):
        tls_context(TlsFiles(client_cert=str(tmp_path / "cert.pem"), client_key=str(tmp_path / "key.pem")))


async def test_https_to_a_plain_port_names_the_right_url(provider: MakeProvider) -> None:
    async with serving() as server:
        fault = await fault_of(provider(), model_at(f"https://127.0.0.1:{server.port}/v1"))
        assert fault.kind == FaultKind.FINAL
        assert f"speaks no TLS: use http://127.0.0.1:{server.port} in place of https://" in fault.reason
        assert server.headers == []


async def test_http_to_a_tls_port_names_the_right_url(provider: MakeProvider, server_tls: ServerTls) -> None:
    async with serving(tls=server_tls("127.0.0.1")) as server:
        fault = await fault_of(provider(), model_at(f"http://127.0.0.1:{server.port}/v1"))
        assert fault.kind == FaultKind.FINAL
        assert f"speaks TLS: use https://127.0.0.1:{server.port} in place of http://" in fault.reason


async def raw_server(answer: bytes) -> asyncio.Server:
    """Answer every request with these bytes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        writer.close()

    return await asyncio.start_server(handle, "127.0.0.1", 0)


async def test_a_tls_alert_in_answer_to_http_names_the_right_url(provider: MakeProvider) -> None:
    async with await raw_server(b"\x15\x03\x01\x00\x02\x02F") as server:
        port = server.sockets[0].getsockname()[1]
        fault = await fault_of(provider(), model_at(f"http://127.0.0.1:{port}/v1"))
    assert f"use https://127.0.0.1:{port}" in fault.reason


async def test_a_400_of_a_plain_server_stays_its_own(provider: MakeProvider) -> None:
    async with serving() as server:
        server.responses.append(web.json_response({"error": {"message": "bad temperature"}}, status=400))
        fault = await fault_of(provider(), model_at(f"http://127.0.0.1:{server.port}/v1"))
        assert "bad temperature" in fault.reason
