"""What `libra up` reads from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from libra.settings import read


@dataclass(frozen=True, slots=True)
class Settings:
    """Servers that run already; they win over those that would be started."""

    nats_url: str = field(default="", metadata={"env": "LIBRA_NATS_URL"})
    """Not empty: no nats-server is started."""

    mongo_url: str = field(default="", metadata={"env": "LIBRA_MONGO_URL"})
    """Not empty: no mongod is started."""


def load() -> Settings:
    """Return the settings; raise BadSettings."""
    return read(Settings, "LIBRA_LOCAL_", os.environ)


def inherited() -> dict[str, str]:
    """Return the variables that the services inherit, the keys of models among them."""
    return dict(os.environ)
