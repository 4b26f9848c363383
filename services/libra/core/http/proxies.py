"""Forward proxies, from a setting, or from the variables that most programs read: HTTP_PROXY, NO_PROXY and others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Self

import aiohttp
from yarl import URL

from libra.core.http.host_name import InvalidHost, canonical_host, is_loopback
from libra.core.settings import InvalidSettings

SCHEMES = ("http", "https")

Bypass = Callable[[str, int], bool]
"""Returns whether requests to a canonical host and port go without a proxy."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy."""

    url: URL
    """Without user and password."""

    authorization: str = field(default="", repr=False)
    """The user and the password, as a header has them; empty for none."""


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of the environment, and the hosts that need none."""

    by_scheme: Mapping[str, Proxy] = field(default_factory=dict)
    bypasses: tuple[Bypass, ...] = ()

    @classmethod
    def parse(cls, environment: Mapping[str, str]) -> Self:
        """Return the proxies of an environment; a name in lower case precedes. Raises InvalidSettings."""
        for_all = _read(environment, "all_proxy")
        by_scheme = {scheme: _read(environment, f"{scheme}_proxy") or for_all for scheme in SCHEMES}
        _, bypass = _variable(environment, "no_proxy")
        entries = [entry.strip() for entry in bypass.split(",") if entry.strip()]
        return cls(
            {scheme: proxy for scheme, proxy in by_scheme.items() if proxy}, tuple(_bypass(entry) for entry in entries)
        )

    @classmethod
    def single(cls, text: str, setting: str) -> Self:
        """Return one proxy for every URL, none for an empty text. Raises InvalidSettings, which names the setting."""
        proxy = _to_proxy(setting, text.strip())
        return cls(dict.fromkeys(SCHEMES, proxy) if proxy else {})

    def proxy_for(self, url: URL) -> Proxy | None:
        """Return the proxy for a URL, None for a direct connection. Addresses of this machine never have a proxy."""
        proxy = self.by_scheme.get(url.scheme)
        if proxy is None:
            return None
        host = canonical_host(url.raw_host or "")
        if is_loopback(host) or any(bypass(host, url.port or 0) for bypass in self.bypasses):
            return None
        return proxy


def _variable(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return the name under which a variable is set, and its value."""
    used = name if name in environment else name.upper()
    return used, environment.get(used, "").strip()


def _read(environment: Mapping[str, str], name: str) -> Proxy | None:
    """Return the proxy that a variable names. The error does not show the value, which may contain a password."""
    return _to_proxy(*_variable(environment, name))


def _to_proxy(used: str, text: str) -> Proxy | None:
    """Return the proxy of a URL, None for an empty text. `used` is the name of the variable."""
    if not text:
        return None
    try:
        url = URL(text if "://" in text else f"http://{text}")
        port = url.port
    except ValueError:
        raise InvalidSettings(f"{used} is not a URL; write http://proxy.example:3128") from None
    if url.scheme not in SCHEMES or not url.raw_host or not port:
        raise InvalidSettings(f"{used} is not the URL of an HTTP proxy; write http://proxy.example:3128, without SOCKS")
    authorization = aiohttp.encode_basic_auth(url.user, url.password or "", "utf-8") if url.user else ""
    return Proxy(url.with_user(None).origin(), authorization)


def _bypass(entry: str) -> Bypass:
    """Return the rule of one entry of NO_PROXY: "*", a network, a host with the hosts below it, with or without port.

    An entry that is none of these matches nothing, as in other programs.
    """
    if entry == "*":
        return lambda _host, _port: True
    if "/" in entry:
        return _network_bypass(entry)
    name, port = _split_port(entry)
    try:
        name = canonical_host(name.removeprefix("*").removeprefix("."))
    except InvalidHost:
        return lambda _host, _port: False
    return lambda host, actual: (host == name or host.endswith(f".{name}")) and port in (0, actual)


def _network_bypass(entry: str) -> Bypass:
    try:
        network = ip_network(entry, strict=False)
    except ValueError:
        return lambda _host, _port: False

    def is_inside(host: str, _port: int) -> bool:
        try:
            return ip_address(host) in network
        except ValueError:
            return False

    return is_inside


def _split_port(entry: str) -> tuple[str, int]:
    host, separator, port = entry.rpartition(":")
    is_host = ":" not in host or host.endswith("]")  # an IPv6 address without brackets has no port
    return (host, int(port)) if separator and is_host and port.isdecimal() else (entry, 0)
