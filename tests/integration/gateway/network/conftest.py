"""A CA and certificates of this test run, and providers over a network of the test's choice."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from libra.core.http.address_policy import AddressPolicy
from libra.core.http.proxies import Proxies
from libra.gateway.provider.http.network import Network
from libra.gateway.provider.http.tls import TlsFiles, tls_context
from libra.gateway.provider.http_provider import HttpProvider
from libra.gateway.provider.keys.model_keys import ModelKeys

trustme = pytest.importorskip("trustme")

MakeProvider = Callable[..., HttpProvider]


@pytest.fixture(scope="session")
def ca() -> Any:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(ca: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def server_tls(ca: Any) -> Callable[..., ssl.SSLContext]:
    """Make the context of a server with a certificate for these names."""

    def make(*names: str, wants_certificate: bool = False, issuer: Any = ca) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issuer.issue_cert(*names).configure_cert(context)
        if wants_certificate:
            ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    return make


@pytest.fixture
async def provider() -> AsyncIterator[MakeProvider]:
    """Make a provider; loopback addresses are allowed unless the test says otherwise."""
    made: list[HttpProvider] = []

    def make(
        allowed: str = "loopback",
        environment: dict[str, str] | None = None,
        files: TlsFiles | None = None,
        keys: ModelKeys | None = None,
        **fields: Any,
    ) -> HttpProvider:
        network = Network(
            AddressPolicy.parse(allowed), Proxies.parse(environment or {}), tls_context(files or TlsFiles()), **fields
        )
        made.append(HttpProvider(keys or ModelKeys({}), network))
        return made[-1]

    yield make
    for each in made:
        await each.close()
