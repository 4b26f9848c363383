"""Decides on which addresses the process may listen, under which names it answers, and what it shows there."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Self

from libra.core.settings import InvalidSettings
from libra.web.settings import RemoteAccess

LOCAL_NAMES = ("localhost",)


@dataclass(frozen=True, slots=True)
class Access:
    """The pages that a listener shows, and the host names that it answers to."""

    shows_transcripts: bool
    """Whether prompts and answers can be read, runs cancelled and notes left."""

    host_names: frozenset[str]

    @classmethod
    def create(cls, listen: str, allow_remote: RemoteAccess, host_names: str = "") -> Self:
        """Return the access of a listener on `listen`. Raises InvalidSettings if others reach it without permission."""
        is_local = is_loopback(listen.rpartition(":")[0])
        if not is_local and allow_remote == "no":
            raise InvalidSettings(
                f"LIBRA_WEB_LISTEN={listen} is reached from other machines, and the pages ask nobody for a password; "
                "set LIBRA_WEB_ALLOW_REMOTE=public-boards to show boards to everyone who can connect, or "
                "public-boards-and-transcripts to show every prompt and answer as well"
            )
        names = frozenset(name.lower() for name in (*LOCAL_NAMES, *host_names.split(",")) if name)
        return cls(is_local or allow_remote == "public-boards-and-transcripts", names)

    def accepts_host(self, header: str) -> bool:
        """Return whether a request for this host, "name:port", is answered.

        A foreign site can let its name point to this machine, but not an IP address.
        """
        host = split_host(header)
        return host in self.host_names or _parse_address(host) is not None


def split_host(header: str) -> str:
    """Return the host of "name:port" or "[address]:port", in small letters."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def is_loopback(host: str) -> bool:
    """Return whether a name or an address is this machine's own."""
    if host.lower() in LOCAL_NAMES:
        return True
    address = _parse_address(host.strip("[]"))
    return address is not None and address.is_loopback


def _parse_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
