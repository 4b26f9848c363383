"""Finds the address of a visitor behind proxies that are trusted, and believes nobody else."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from aiohttp import web

from libra.web.settings import ForwardedHeader

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNKNOWN = "unknown"
FORWARDED_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^\s;"]+))', re.IGNORECASE)
"""The parameter `for` of one element of the header Forwarded (RFC 7239)."""


@dataclass(frozen=True, slots=True)
class ClientAddresses:
    """The proxies whose header is believed, and the header in which they write whom they forward."""

    trusted: Sequence[Network] = ()
    header: ForwardedHeader = "x-forwarded-for"

    @classmethod
    def create(cls, networks: str, header: ForwardedHeader) -> Self:
        """Return the addresses for networks that are separated by commas."""
        return cls(tuple(ipaddress.ip_network(each.strip()) for each in networks.split(",") if each.strip()), header)

    def find(self, request: web.Request) -> str:
        """Return the address that the nearest trusted proxy got the request from; without one that of the connection.

        Each proxy appends the address that it saw, so that the list is read from its end: the last address that is not
        a trusted proxy is the visitor's. What stands before it was written by the visitor.
        """
        found = request.remote or UNKNOWN
        entries = self._entries(request.headers.getall(self.header, ()))
        while self._is_trusted(found):
            entry = parse_address(next(entries, ""))
            if entry is None:
                return found
            found = str(entry)
        return found

    def _entries(self, values: Sequence[str]) -> Iterator[str]:
        """Yield the forwarded addresses, the nearest first."""
        for value in reversed(values):
            for element in split_from_end(value):
                if self.header == "forwarded":
                    match = FORWARDED_FOR.search(element)
                    yield (match[1] or match[2] or "") if match else ""
                else:
                    yield element

    def _is_trusted(self, text: str) -> bool:
        address = parse_address(text)
        return address is not None and any(address in network for network in self.trusted)


CLIENT_ADDRESSES = web.AppKey("client_addresses", ClientAddresses)
"""The key under which the application holds them."""


def split_from_end(value: str) -> Iterator[str]:
    """Yield the elements of a header, the last first. A comma within quotes, counted from the end, divides nothing.

    So a quote that a visitor leaves open hides no element that a proxy appended.
    """
    end, is_quoted = len(value), False
    for place in range(len(value) - 1, -1, -1):
        if value[place] == '"':
            is_quoted = not is_quoted
        elif value[place] == "," and not is_quoted:
            yield value[place + 1 : end]
            end = place
    yield value[:end]


def parse_address(text: str) -> Address | None:
    """Return the address of "a.b.c.d", "a.b.c.d:port", "[v6]:port" or a bare v6 address; None for anything else."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
