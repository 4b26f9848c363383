"""What every service can be told from outside: LIBRA_<SERVICE>_LISTEN and _METRICS_LISTEN for itself, the rest shared."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypeVar

from pydantic import PositiveFloat, PositiveInt, StringConstraints

from libra import settings
from libra.telemetry import logs

Own = TypeVar("Own")

Address = Annotated[str, StringConstraints(pattern=r"^(|\S+:\d{1,5})$")]
"""host:port; port 0 for any free one."""

LISTEN = {
    "dispatch": ("127.0.0.1:50051", "127.0.0.1:9101"),
    "attack": ("127.0.0.1:50052", "127.0.0.1:9102"),
    "gateway": ("127.0.0.1:50053", "127.0.0.1:9103"),
    "judge": ("127.0.0.1:50054", "127.0.0.1:9104"),
    "ranking": ("127.0.0.1:50055", "127.0.0.1:9105"),
}
"""Where each service listens unless it is told otherwise: gRPC, and /metrics. Another name takes any free ports."""

NATS_SCHEMES = ("nats://", "tls://", "ws://", "wss://")

ANY = ("127.0.0.1:0", "127.0.0.1:0")


@dataclass(frozen=True, slots=True)
class CommonSettings:
    """Where a process listens, what it is connected to, and how it tells of itself."""

    listen: Address = ""
    """gRPC."""

    metrics_listen: Address = ""
    """GET /metrics."""

    nats_url: str = field(default="nats://127.0.0.1:4222", metadata={"env": "LIBRA_NATS_URL"})
    """Where the queue is."""

    nats_stage_bytes: PositiveInt = field(default=256 * 1024 * 1024, metadata={"env": "LIBRA_NATS_STAGE_BYTES"})
    """What waits for one stage takes no more of nats-server's disk; five times this is set aside there when the streams are
    made. More than the largest batch, which is half a megabyte unless a single trial is larger."""

    nats_ack_wait_seconds: PositiveFloat = field(default=30.0, metadata={"env": "LIBRA_NATS_ACK_WAIT_SECONDS"})
    """The queue gives a batch to another replica after so long without a sign of life, of which there are three in that time. The
    same for every service: consumers are made with it, and one that was made with another is refused."""

    mongo_url: str = field(default="mongodb://127.0.0.1:27017/?replicaSet=libra", metadata={"env": "LIBRA_MONGO_URL"})
    """Where the ledger is."""

    mongo_database: str = field(default="libra", metadata={"env": "LIBRA_MONGO_DATABASE"})
    """The ledger's database."""

    otlp_endpoint: str = field(default="", metadata={"env": "LIBRA_OTLP_ENDPOINT"})
    """Where traces go, by OTLP over gRPC; empty: nowhere."""

    log_level: logs.Level = field(default="info", metadata={"env": "LIBRA_LOG_LEVEL"})
    """What is less than this is not logged."""

    log_format: logs.Format = field(default="json", metadata={"env": "LIBRA_LOG_FORMAT"})
    """One JSON object a line, or text for a person at a console."""


def load(name: str, own: type[Own], environ: Mapping[str, str] | None = None) -> tuple[CommonSettings, Own]:
    """Return what the process `name` is told, and what only its service is; raise BadSettings naming the variable."""
    variables, prefix = os.environ if environ is None else environ, f"LIBRA_{name.upper()}_"
    shared = settings.read(CommonSettings, prefix, variables)
    if not all(one.strip().startswith(NATS_SCHEMES) for one in shared.nats_url.split(",")):
        # Not shown: it may hold a password.
        raise settings.BadSettings(
            "LIBRA_NATS_URL is no address of NATS: it looks like nats://host:4222, or several of these"
        )
    listen, metrics_listen = LISTEN.get(name, ANY)
    filled: dict[str, Any] = {
        "listen": shared.listen or listen,
        "metrics_listen": shared.metrics_listen or metrics_listen,
    }
    return replace(shared, **filled), settings.read(own, prefix, variables)
