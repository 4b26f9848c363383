"""Resolves names of hosts, and refuses those at an address that the operator does not allow."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from libra.core.http.address_policy import AddressPolicy


class CheckedResolver(AbstractResolver):
    """Returns addresses that were checked. The connector connects to them and resolves nothing itself.

    So an answer of the name server that changes between the check and the connection (DNS rebinding) has no effect.
    """

    def __init__(self, policy: AddressPolicy, resolver: AbstractResolver | None = None) -> None:
        self._policy, self._resolver = policy, resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name. Raises OSError, and AddressRefused if one of them is refused."""
        results = await self._resolver.resolve(host, port, family)
        for result in results:
            self._policy.check_address(ip_address(result["host"].partition("%")[0]), host)
        return results

    async def close(self) -> None:
        """Close the resolver."""
        await self._resolver.close()
