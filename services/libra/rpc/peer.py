"""The address of a caller."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import unquote

import grpc.aio

from libra.core.errors import FailedPrecondition


def require_loopback(context: grpc.aio.ServicerContext, *, field: str) -> str:
    """Return the caller's address; raise FailedPrecondition unless it is on the same machine."""
    peer = unquote(context.peer())
    if not is_loopback(peer):
        raise FailedPrecondition(f"it is accepted from the same machine only, not from {peer}", field=field)
    return peer


def peer_host(context: grpc.aio.ServicerContext) -> str:
    """Return the address of the caller without its port: "127.0.0.1", "::1", or "unix"."""
    family, _, address = unquote(context.peer()).partition(":")
    return address.rpartition(":")[0].strip("[]") if family in {"ipv4", "ipv6"} else family


def is_loopback(peer: str) -> bool:
    """Return whether the address of a peer, as gRPC gives it ("ipv4:127.0.0.1:4711"), is on the same machine."""
    family, _, address = peer.partition(":")
    if family == "unix":
        return True
    return family in {"ipv4", "ipv6"} and is_loopback_host(address.rpartition(":")[0])


def is_loopback_host(host: str) -> bool:
    """Return whether a host, "127.0.0.1", "[::1]" or "localhost", is this machine only."""
    try:
        parsed = ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def is_loopback_target(address: str) -> bool:
    """Return whether every target of an address, "host:port" or "ipv4:host:port,host:port", is this machine."""
    targets = address.partition(":")[2] if address.startswith(("ipv4:", "ipv6:")) else address
    return all(is_loopback_host(target.rpartition(":")[0]) for target in targets.split(","))
