"""The gateway's way to its models: limits, allowed addresses, proxies and TLS."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp.abc import AbstractResolver

from libra.core.http.address_policy import AddressPolicy
from libra.core.http.proxies import Proxies
from libra.gateway.provider.http.tls import TlsFiles, tls_context


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Time limits of connections."""

    connect_seconds: float = 15.0
    """Time limit for opening a connection, shorter than the model's timeout."""

    keep_alive_seconds: float = 30.0
    """Idle connections are closed after this, sooner than servers close them, so that no request uses a connection that
    is closing."""

    stall_seconds: float = 30.0
    """The longest time between two parts of a streamed answer; the first one has the model's timeout."""


@dataclass(frozen=True, slots=True)
class Network:
    """The network settings of a process. The default reaches the internet directly."""

    policy: AddressPolicy = field(default_factory=AddressPolicy)
    proxies: Proxies = field(default_factory=Proxies)
    tls: ssl.SSLContext = field(default_factory=lambda: tls_context(TlsFiles()))
    limits: HttpLimits = field(default_factory=HttpLimits)
    resolver: AbstractResolver | None = None
    """The source of addresses; None for the system's."""


def network(
    policy: AddressPolicy, environment: Mapping[str, str], files: TlsFiles, limits: HttpLimits | None = None
) -> Network:
    """Return the network of the settings and of the proxy variables of the environment. Raises InvalidSettings."""
    return Network(policy, Proxies.parse(environment), tls_context(files), limits or HttpLimits())
