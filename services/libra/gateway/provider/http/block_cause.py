"""Tells errors of a connection that other requests would meet as well from those of one request."""

from __future__ import annotations

import ssl

import aiohttp

from libra.core.http.address_policy import AddressRefused
from libra.gateway.provider.result import BlockCause


def block_cause(error: BaseException) -> BlockCause | None:
    """Return why other requests to the same URL would fail like this one; None if that is not known."""
    match error:
        case ssl.SSLError() | aiohttp.ClientSSLError():
            return BlockCause.CERTIFICATE
        case aiohttp.ConnectionTimeoutError() | aiohttp.ClientConnectorError() | aiohttp.ClientHttpProxyError():
            return BlockCause.UNREACHABLE
        case AddressRefused() | ValueError():  # ValueError: an invalid URL
            return BlockCause.UNKNOWN_MODEL
        case _:
            return None
