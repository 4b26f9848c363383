"""The canonical form of a host in a URL: one spelling for each name and address."""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import idna

MAX_HOST_CHARACTERS = 253
NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

MAX_PARTS, MAX_BYTE = 4, 0xFF
BASES = (("0x", 16), ("0", 8), ("", 10))
"""The base of a part of an IPv4 address, by its prefix, as inet_aton reads it."""


class InvalidHost(ValueError):
    """The text is not a host; the message says why."""


def canonical_host(host: str) -> str:
    """Return a host in lower case, in ASCII (IDNA), without a trailing dot and, if it is an address, in its usual form.

    Browsers and `inet_aton` read "2130706433", "0x7f.1" and "017700000001" as 127.0.0.1, so this function does as well.
    An IPv6 address may have brackets, and has none in the result; an IPv4-mapped one becomes the IPv4 address. Raises
    InvalidHost.
    """
    if host.startswith("[") or ":" in host:
        return _canonical_ipv6(host.removeprefix("[").removesuffix("]"))
    name = _to_ascii(host).removesuffix(".")
    if not NAME.fullmatch(name) or len(name) > MAX_HOST_CHARACTERS:
        raise InvalidHost("it is not a host name")
    parts = name.split(".")
    return _canonical_ipv4(parts) if NUMBER.fullmatch(parts[-1]) else name


def is_loopback(host: str) -> bool:
    """Return whether a canonical host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def in_url(host: str) -> str:
    """Return a canonical host as it is written in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def _to_ascii(host: str) -> str:
    if host.isascii():
        return host.lower()
    try:
        return idna.encode(host, uts46=True).decode().lower()
    except idna.IDNAError:
        raise InvalidHost("it is not a valid international host name") from None


def _canonical_ipv6(text: str) -> str:
    if "%" in text:
        raise InvalidHost("an address with a zone is reachable from one machine only")
    try:
        # socket and ipaddress accept the same texts; both must agree, because one checks and the other connects.
        address = IPv6Address(socket.inet_pton(socket.AF_INET6, text))
    except (OSError, ValueError):  # also for a null character
        raise InvalidHost("it is not an IPv6 address") from None
    return str(address.ipv4_mapped or address.compressed)


def _canonical_ipv4(parts: list[str]) -> str:
    """Return the address that 1 to 4 numbers stand for; the last one fills the bytes that remain."""
    numbers = [_number(part) for part in parts]
    *first, last = numbers
    free_bytes = MAX_PARTS - len(first)
    if len(parts) > MAX_PARTS or any(number > MAX_BYTE for number in first) or last >= 256**free_bytes:
        raise InvalidHost("it is not an IPv4 address")
    value = last + sum(number << 8 * (MAX_PARTS - 1 - position) for position, number in enumerate(first))
    return str(IPv4Address(value))


def _number(part: str) -> int:
    if not NUMBER.fullmatch(part):
        raise InvalidHost("it is not an IPv4 address")
    prefix, base = next((prefix, base) for prefix, base in BASES if part.startswith(prefix))
    try:
        return int(part.removeprefix(prefix) or "0", base)
    except ValueError:
        raise InvalidHost("it is not an IPv4 address") from None
