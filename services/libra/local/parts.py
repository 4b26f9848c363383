"""What the system on one machine is made of, and what each service is told of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"

NATS, MONGO = "nats-server", "mongod"
SERVERS = (NATS, MONGO)
SERVICES = ("attack", "gateway", "judge", "ranking", "dispatch")
"""In the order of their start: dispatch, which asks the others, comes last."""

PARTS = (*SERVERS, *SERVICES)


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


def environment(ports: Mapping[str, Ports], *, nats_url: str, mongo_url: str) -> dict[str, str]:
    """Return the variables that every service is started with: its own two listeners and the addresses of the others."""
    variables = {
        "LIBRA_NATS_URL": nats_url,
        "LIBRA_MONGO_URL": mongo_url,
        "LIBRA_DISPATCH_ATTACK_ADDRESS": ports["attack"].address,
        "LIBRA_DISPATCH_JUDGE_ADDRESS": ports["judge"].address,
        "LIBRA_JUDGE_GATEWAY_ADDRESS": ports["gateway"].address,
        "GRPC_VERBOSITY": "NONE",  # its lines are no JSON; what they tell, ours tell too
    }
    for service in SERVICES:
        prefix = f"LIBRA_{service.upper()}"
        variables[f"{prefix}_LISTEN"] = ports[service].address
        variables[f"{prefix}_METRICS_LISTEN"] = f"{HOST}:{ports[service].metrics}"
    return variables
