"""Posts to URLs that users name, such as webhooks: to public addresses over TLS, unless the operator allows others."""

from __future__ import annotations

import errno
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from libra.core.http.address_policy import AddressPolicy, AddressRefused
from libra.core.http.host_name import canonical_host
from libra.core.http.proxies import Proxies
from libra.core.http.resolver import CheckedResolver
from libra.core.http.retry_after import retry_after

MAX_URL_CHARACTERS = 2048
UNWANTED = re.compile(r"[\x00-\x20\x7f\\]")
"""Characters that no URL contains, and that programs read differently."""

CONNECT_SECONDS = 10.0
MAX_CONNECTIONS = 32
MAX_HEADER_BYTES = 16 * 1024


class PostFailed(Exception):
    """There was no response; the message says why, and does not quote the URL, which may contain a secret path."""


@dataclass(frozen=True, slots=True)
class TargetRules:
    """Rules for URLs that may be posted to."""

    policy: AddressPolicy = field(default_factory=AddressPolicy)

    plain_hosts: frozenset[str] = frozenset()
    """Hosts for which http:// is allowed, in canonical form."""

    plain_setting: str = "LIBRA_DISPATCH_WEBHOOK_HTTP_HOSTS"
    """The variable that names them, for messages."""

    def check(self, text: str) -> URL:
        """Return the URL; raise ValueError, InvalidHost or AddressRefused if it may not be posted to.

        No name is resolved: the resolver checks the addresses of a name at each connection.
        """
        if len(text) > MAX_URL_CHARACTERS:
            raise ValueError(f"it is longer than {MAX_URL_CHARACTERS:,} characters")
        if UNWANTED.search(text):
            raise ValueError("it contains a space, a control character or a backslash")
        url = URL(text)
        if url.scheme not in ("http", "https") or not url.raw_host:
            raise ValueError("it must be an https:// URL, such as https://hooks.example.com/libra")
        if url.raw_user or url.raw_password or url.fragment:
            raise ValueError("it must have no user, password or fragment")
        host = canonical_host(url.raw_host)
        if url.scheme == "http" and host not in self.plain_hosts:
            raise ValueError(
                f"it must begin with https://; the operator may allow http:// by {self.plain_setting}={host}"
            )
        # Here as well, because the connector resolves no host that is an address.
        self.policy.check_host(host)
        return url


class PostResponse(NamedTuple):
    """The status of a receiver's response, and the wait that it asked for."""

    status: int
    retry_after_seconds: float | None = None
    """The wait that it asked for; None for none."""


class Poster:
    """One connection for each request, no redirects and no cookies.

    A proxy is the operator's, so its own address may be any. It resolves the names of receivers, so it must refuse the
    addresses that they may not have; hosts that are written as addresses are checked here.
    """

    def __init__(
        self,
        rules: TargetRules,
        *,
        tls: ssl.SSLContext | None = None,
        resolver: AbstractResolver | None = None,
        proxies: Proxies | None = None,
    ) -> None:
        self.rules, self._tls, self._proxies = rules, tls, proxies or Proxies()
        self._resolver = CheckedResolver(rules.policy, resolver)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        """By whether they are for requests through a proxy."""

    async def check_name(self, text: str) -> None:
        """Raise what `TargetRules.check` raises, AddressRefused if the name is at a refused address, or OSError."""
        url = self.rules.check(text)
        if self._proxies.proxy_for(url) is not None:
            return
        await self._resolver.resolve(url.raw_host or "", url.port or 0)

    async def post(self, text: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> PostResponse:
        """Return the response without its body, which is not read. Raises PostFailed."""
        limit = aiohttp.ClientTimeout(total=timeout_seconds, connect=CONNECT_SECONDS)
        try:
            url = self.rules.check(text)
            proxy = self._proxies.proxy_for(url)
            async with self._session(is_proxied=proxy is not None).post(
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=limit,
                proxy=proxy.url if proxy else None,
                # aiohttp sends it to the proxy only, as Proxy-Authorization.
                proxy_headers={"Authorization": proxy.authorization} if proxy and proxy.authorization else None,
            ) as response:
                response.close()
                return PostResponse(response.status, retry_after(response.headers, datetime.now(UTC)))
        except AddressRefused as refused:
            raise PostFailed(str(refused)) from None
        except TimeoutError:
            raise PostFailed(f"no response within {timeout_seconds:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise PostFailed(_text(error)) from None

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()

    def _session(self, *, is_proxied: bool) -> aiohttp.ClientSession:
        if is_proxied not in self._sessions:
            self._sessions[is_proxied] = self._open(None if is_proxied else self._resolver)
        return self._sessions[is_proxied]

    def _open(self, resolver: AbstractResolver | None) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=MAX_CONNECTIONS,
            force_close=True,
            use_dns_cache=False,
            resolver=resolver,
            ssl=self._tls or True,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )


def _text(error: Exception) -> str:
    """Return what happened, without the URL."""
    match error:
        case aiohttp.ClientHttpProxyError() | aiohttp.ClientProxyConnectionError():
            return f"the proxy has no connection to the receiver ({getattr(error, 'status', 'it cannot be reached')})"
        case aiohttp.ClientConnectorCertificateError():
            return "the receiver's certificate is not accepted"
        case aiohttp.ClientConnectorDNSError():
            return "the receiver's host does not exist"
        case aiohttp.ClientConnectorError(os_error=OSError(errno=errno.ECONNREFUSED)):
            return "nobody listens at the receiver's address"
        case aiohttp.ServerDisconnectedError():
            return "the receiver closed the connection without a response"
        case _:
            return f"the connection failed ({type(error).__name__})"
