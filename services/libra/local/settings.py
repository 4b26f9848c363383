"""What `libra up` reads from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import NonNegativeInt

from libra.core.settings import read


@dataclass(frozen=True, slots=True)
class Settings:
    """Servers that run already, which win over those that would be started, and how those are started."""

    nats_url: str = field(default="", metadata={"env": "LIBRA_NATS_URL"})
    """Not empty: no nats-server is started."""

    mongo_url: str = field(default="", metadata={"env": "LIBRA_MONGO_URL"})
    """Not empty: no mongod is started."""

    nats_store_bytes: NonNegativeInt = 0
    """LIBRA_LOCAL_NATS_STORE_BYTES: the most that nats-server keeps on disk; 0: three quarters of what is free there."""


def load(variables: Mapping[str, str]) -> Settings:
    """Return the settings from the environment with these variables put into it; raise BadSettings."""
    return read(Settings, "LIBRA_LOCAL_", {**os.environ, **variables})


def inherited() -> dict[str, str]:
    """Return the variables that the services inherit, the keys of models among them."""
    return dict(os.environ)
