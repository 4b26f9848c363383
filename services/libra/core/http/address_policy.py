"""The network addresses that a model may have: those of the internet, and those that the operator allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Self

from pydantic import AfterValidator

from libra.core.http.host_name import canonical_host

SETTING = "LIBRA_GATEWAY_ALLOWED_NETWORKS"

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})
"""Names of the metadata services of clouds; also names below them."""

METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google Cloud, Oracle, OpenStack
        "169.254.170.2",  # AWS: credentials of ECS tasks
        "169.254.170.23",  # AWS: EKS pod identity
        "169.254.0.23",  # Tencent Cloud
        "fd00:ec2::254",  # AWS
        "fd00:ec2::23",  # AWS: EKS pod identity
        "fd20:ce::254",  # Google Cloud
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure: the address is global, but only the platform answers there
        "192.0.0.192",  # Oracle Cloud
    )
)
"""Services that give credentials to every process of a machine. Only a network of this one address allows one."""

GROUPS: dict[str, tuple[Network, ...]] = {
    name: tuple(ip_network(text) for text in texts.split())
    for name, texts in {
        "loopback": "127.0.0.0/8 ::1/128",
        "private": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10",
        "link-local": "169.254.0.0/16 fe80::/10",
        "shared": "100.64.0.0/10",
        "unspecified": "0.0.0.0/8 ::/128",
        "multicast": "224.0.0.0/4 ff00::/8",
        "reserved": "192.0.0.0/24 240.0.0.0/4 100::/64 2001::/23 3fff::/20 5f00::/16",
    }.items()
}
"""The groups that have a name; each name is also a word of the setting."""

WORDS = ("loopback", "private", "link-local", "shared")
"""The words of the setting. No model is at an address of the other groups."""

EMBEDDING: tuple[tuple[IPv6Network, int], ...] = (
    (IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped
    (IPv6Network("::/96"), 0),  # IPv4-compatible
    (IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (IPv6Network("64:ff9b:1::/48"), 0),  # NAT64 of a site
    (IPv6Network("2002::/16"), 80),  # 6to4
)
"""Networks whose addresses contain an IPv4 address, and the number of bits to the right of it."""


class AddressRefused(Exception):
    """The operator allows no model at this host; the message names the host, the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Decides about hosts and addresses. The default allows the addresses of the internet only."""

    allowed: tuple[Network, ...] = ()
    """Networks that are allowed in addition."""

    setting: str = SETTING
    """The variable that allows them, for messages."""

    @classmethod
    def parse(cls, text: str, setting: str = SETTING) -> Self:
        """Return the policy of a setting, words and networks with commas between them. Raises ValueError."""
        allowed: list[Network] = []
        for item in filter(None, (part.strip() for part in text.split(","))):
            allowed += GROUPS[item] if item in WORDS else [_network(item)]
        return cls(tuple(allowed), setting)

    def check_host(self, host: str) -> None:
        """Raise AddressRefused if the host is a refused address, or a name that always has one; else do nothing.

        Raises InvalidHost. It resolves no name: `check_address` is for what a name resolves to.
        """
        name = canonical_host(host)
        group = _group_of_name(name)
        if group == "metadata" or (group == "loopback" and not self._allows_any(GROUPS["loopback"])):
            raise AddressRefused(_refusal(name, group, f"{self.setting}=loopback"))
        try:
            address = ip_address(name)
        except ValueError:
            return
        self.check_address(address, name)

    def check_address(self, address: Address, host: str) -> None:
        """Raise AddressRefused, naming `host`, if nothing may connect to the address."""
        if (refused := _judge(self, address)) is None:
            return
        where = host if host == str(address) else f"{host} (at {address})"
        raise AddressRefused(_refusal(where, group_of(refused), f"{self.setting}={refused}"))

    def _allows_any(self, networks: Iterable[Network]) -> bool:
        return any(one.version == other.version and one.overlaps(other) for one in self.allowed for other in networks)

    def allows(self, address: Address) -> bool:
        """Return whether a network of the setting contains the address; of a metadata service, only itself does."""
        if address in METADATA:
            return any(network.num_addresses == 1 and address in network for network in self.allowed)
        return any(address in network for network in self.allowed)


def group_of(address: Address) -> str:
    """Return the group of an address that is not of the internet: "metadata", a key of GROUPS, "reserved"; or ""."""
    if address in METADATA:
        return "metadata"
    for name, networks in GROUPS.items():
        if any(address in network for network in networks):
            return name
    return "" if address.is_global else "reserved"


def check_setting(text: str) -> str:
    """Return the text of the setting; raise ValueError if it is invalid."""
    AddressPolicy.parse(text)
    return text


AllowedNetworks = Annotated[str, AfterValidator(check_setting)]
"""The type of the setting."""


@lru_cache(maxsize=4096)
def _judge(policy: AddressPolicy, address: Address) -> Address | None:
    """Return the address that is refused: the address itself or the IPv4 address in it; None if it is allowed."""
    target = _embedded(address) or address
    return target if group_of(target) and not policy.allows(target) else None


def _embedded(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for; None if it stands for itself."""
    if isinstance(address, IPv4Address) or int(address) <= 1:  # :: and ::1
        return None
    shift = next((shift for network, shift in EMBEDDING if address in network), None)
    return None if shift is None else IPv4Address(int(address) >> shift & 0xFFFF_FFFF)


def _group_of_name(name: str) -> str:
    if any(name == known or name.endswith(f".{known}") for known in METADATA_NAMES):
        return "metadata"
    return "loopback" if name == "localhost" or name.endswith(".localhost") else ""  # RFC 6761, section 6.3


def _network(text: str) -> Network:
    try:
        return ip_network(text.removeprefix("[").removesuffix("]"))
    except ValueError as error:
        raise ValueError(f"{error}; write networks such as 10.1.0.0/16, or {', '.join(WORDS)}") from None


def _refusal(where: str, group: str, remedy: str) -> str:
    article = "an" if group == "unspecified" else "a"
    kind = "a metadata service, which gives out credentials" if group == "metadata" else f"{article} {group} address"
    return f"{where} is {kind}" + ("" if group == "metadata" else f"; the operator allows it with {remedy}")
