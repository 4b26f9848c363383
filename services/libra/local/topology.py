"""The parts of a system on one machine and the settings that connect them.

A part is one process of the system: a server (nats-server, mongod) or a replica of a service. The first replica has the
service's name, the others also a number: gateway, gateway-2, gateway-3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"

NATS, MONGO = "nats-server", "mongod"
SERVERS = (NATS, MONGO)
WEB = "web"
"""The part with the pages. It listens on HTTP, the others on gRPC."""

SERVICES = ("attack", "gateway", "judge", "ranking", "arena", "dispatch", WEB)
"""In the order of their start: dispatch and web come last because they call the others."""

PIPELINE = ("attack", "gateway", "judge", "ranking", "dispatch")
"""The services that a run needs."""

WEB_READS = ("attack", "gateway", "judge", "ranking", "arena", "dispatch")
"""The services that the pages call."""

WATCHDOG = "watchdog"
"""The process that restarts the servers. It listens on no port and is not counted among the parts."""

PARTS = (*SERVERS, *SERVICES)
"""The parts of a system with one replica of each service."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that a part listens on."""

    main: int
    """The port of a server's own protocol, of a service's gRPC, or of the pages."""

    metrics: int = 0
    """The port of a service's /metrics or of nats-server's /healthz; 0 for mongod."""

    @property
    def address(self) -> str:
        """The address for clients."""
        return f"{HOST}:{self.main}"


def part_names(replicas: Mapping[str, int]) -> list[str]:
    """Return the names of all parts; a service that is not in `replicas` has one replica, one with 0 is left out."""
    names = [*SERVERS]
    for service in SERVICES:
        numbered = [service, *(f"{service}-{number}" for number in range(2, replicas.get(service, 1) + 1))]
        names += numbered[: replicas.get(service, 1)]
    return names


def service_of(name: str) -> str:
    """Return the service that a part is a replica of, "gateway" for "gateway-2"; any other name unchanged."""
    service, _, number = name.rpartition("-")
    return service if service in SERVICES and number.isdecimal() else name


def grpc_target(ports: Mapping[str, Ports], service: str) -> str:
    """Return the target for a gRPC client of the service: the addresses of all its replicas."""
    return "ipv4:" + ",".join(ports[name].address for name in ports if service_of(name) == service)


def pages_url(ports: Mapping[str, Ports]) -> str:
    """Return the address of the pages, "" before the first start."""
    return f"http://{ports[WEB].address}" if WEB in ports else ""


def service_environment(name: str, ports: Mapping[str, Ports], *, nats_url: str, mongo_url: str) -> dict[str, str]:
    """Return the environment variables of a replica: its two listen addresses and the addresses that it calls.

    The pages get no address of NATS or MongoDB.
    """
    prefix = f"LIBRA_{service_of(name).upper()}"
    listen = {
        f"{prefix}_LISTEN": ports[name].address,
        f"{prefix}_METRICS_LISTEN": f"{HOST}:{ports[name].metrics}",
        "GRPC_VERBOSITY": "NONE",  # gRPC's own log lines are not JSON; the services log the same events
    }
    if service_of(name) == WEB:
        return {**{f"LIBRA_WEB_{each.upper()}_ADDRESS": grpc_target(ports, each) for each in WEB_READS}, **listen}
    return {
        "LIBRA_NATS_URL": nats_url,
        "LIBRA_MONGO_URL": mongo_url,
        "LIBRA_ARENA_ATTACK_ADDRESS": grpc_target(ports, "attack"),
        "LIBRA_ARENA_GATEWAY_ADDRESS": grpc_target(ports, "gateway"),
        "LIBRA_ATTACK_GATEWAY_ADDRESS": grpc_target(ports, "gateway"),
        "LIBRA_DISPATCH_ATTACK_ADDRESS": grpc_target(ports, "attack"),
        "LIBRA_DISPATCH_JUDGE_ADDRESS": grpc_target(ports, "judge"),
        "LIBRA_JUDGE_GATEWAY_ADDRESS": grpc_target(ports, "gateway"),
        **listen,
    }
