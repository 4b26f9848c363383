"""A URL that requests are posted to, with what all requests to it share."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

import aiohttp
from yarl import URL

from libra.core.access.key_rules import key_target
from libra.core.http.address_policy import AddressPolicy
from libra.core.http.proxies import Proxies

FIXED_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    # Answers are small, and without compression there are no decompression bombs.
    "Accept-Encoding": "identity",
    "User-Agent": "libra",
}

LINE_BREAKING = re.compile(r"[\x00\r\n]")


class HttpEndpoint:
    """A URL to post to. Raises ValueError if it is not an HTTP URL, and AddressRefused."""

    def __init__(self, url: URL, headers: Mapping[str, str], policy: AddressPolicy, proxies: Proxies) -> None:
        """`headers` are sent with every request, in place of the adapter's of the same name; none of them is a key."""
        if url.scheme not in ("http", "https") or not url.raw_host:
            raise ValueError("it is not an http:// or https:// URL")
        if any(LINE_BREAKING.search(text) for pair in headers.items() for text in pair):
            raise ValueError("a header of its options contains a line break")
        # Here, because the connector resolves no host that is an address, and a proxy resolves names itself.
        policy.check_host(url.raw_host)
        self.url = url
        self.key_target = key_target(str(url.origin()))
        """The scheme and host that keys are bound to."""
        self.proxy = proxies.proxy_for(url)
        self.headers = {**FIXED_HEADERS, **headers}
        self._own_names = {name.lower() for name in headers}
        self.has_answered = False
        """Whether there was ever a response."""
        self.refuses_streams = False
        """Whether the endpoint refused to stream an answer."""
        self.may_speak_tls = url.scheme == "http" and self.proxy is None
        """Whether the port may speak TLS although the URL begins with http."""
        # It only tells the connector where to connect; it is never sent.
        self.target = aiohttp.ClientRequest("POST", url, loop=asyncio.get_running_loop())
        self._head = f"POST {url.raw_path_qs} HTTP/1.1\r\nHost: {url.host_port_subcomponent}\r\n"
        self._head += _header_lines(self.headers)

    @property
    def address(self) -> str:
        """The host and port, for messages."""
        return f"{self.url.host_subcomponent}:{self.url.port}"

    def with_scheme(self, scheme: str) -> URL:
        """Return the root of the same host and port with another scheme."""
        return URL.build(scheme=scheme, host=self.url.raw_host or "", port=self.url.port)

    def credentials_to_send(self, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the adapter's headers without those that the model has itself."""
        if not self._own_names:
            return credentials
        return {name: value for name, value in credentials.items() if name.lower() not in self._own_names}

    def request(self, credentials: Mapping[str, str], data: bytes) -> bytes:
        """Return the bytes of a request. `credentials` are the adapter's headers, which contain keys."""
        keys = _header_lines(self.credentials_to_send(credentials)) if credentials else ""
        return f"{self._head}{keys}Content-Length: {len(data)}\r\n\r\n".encode() + data


def _header_lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
