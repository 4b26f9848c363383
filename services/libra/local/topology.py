"""What the system on one machine is made of, and what each service is told of the others.

The first replica of a service bears its name, the others a number: gateway, gateway-2, gateway-3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"

NATS, MONGO = "nats-server", "mongod"
SERVERS = (NATS, MONGO)
SERVICES = ("attack", "gateway", "judge", "ranking", "dispatch")
"""In the order of their start: dispatch, which asks the others, comes last."""

PARTS = (*SERVERS, *SERVICES)
"""With one replica of each service."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a part listens."""

    main: int
    """A server's own protocol, a service's gRPC."""

    metrics: int = 0
    """A service's /metrics; 0 for a server."""

    @property
    def address(self) -> str:
        """The address that clients are given."""
        return f"{HOST}:{self.main}"


def names(replicas: Mapping[str, int]) -> list[str]:
    """Return the names of all parts, with so many replicas of these services and one of the others."""
    found = [*SERVERS]
    for service in SERVICES:
        found += [service, *(f"{service}-{number}" for number in range(2, replicas.get(service, 1) + 1))]
    return found


def kind(name: str) -> str:
    """Return the service that a part is a replica of, "gateway" for "gateway-2"; any other name as it is."""
    service, _, number = name.rpartition("-")
    return service if service in SERVICES and number.isdecimal() else name


def target(ports: Mapping[str, Ports], service: str) -> str:
    """Return where gRPC clients find the service: the addresses of all its replicas."""
    return "ipv4:" + ",".join(ports[name].address for name in ports if kind(name) == service)


def environment(name: str, ports: Mapping[str, Ports], *, nats_url: str, mongo_url: str) -> dict[str, str]:
    """Return the variables that a replica is started with: its own two listeners and where the other services are."""
    prefix = f"LIBRA_{kind(name).upper()}"
    return {
        "LIBRA_NATS_URL": nats_url,
        "LIBRA_MONGO_URL": mongo_url,
        "LIBRA_ATTACK_GATEWAY_ADDRESS": target(ports, "gateway"),
        "LIBRA_DISPATCH_ATTACK_ADDRESS": target(ports, "attack"),
        "LIBRA_DISPATCH_JUDGE_ADDRESS": target(ports, "judge"),
        "LIBRA_JUDGE_GATEWAY_ADDRESS": target(ports, "gateway"),
        "GRPC_VERBOSITY": "NONE",  # its lines are no JSON; what they tell, ours tell too
        f"{prefix}_LISTEN": ports[name].address,
        f"{prefix}_METRICS_LISTEN": f"{HOST}:{ports[name].metrics}",
    }
