"""The environment variables that `libra up` reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from libra.core.settings import read


@dataclass(frozen=True, slots=True)
class Settings:
    """URLs of your own servers, which replace the local ones, and options of the local servers."""

    nats_url: str = field(default="", metadata={"env": "LIBRA_NATS_URL"})
    """Your own NATS server; if it is empty, a nats-server is started."""

    mongo_url: str = field(default="", metadata={"env": "LIBRA_MONGO_URL"})
    """Your own MongoDB; if it is empty, a mongod is started."""

    nats_store_bytes: Annotated[int, Field(ge=0, le=2**50)] = 0
    """LIBRA_LOCAL_NATS_STORE_BYTES: the most that nats-server stores on disk; 0: three quarters of the free space."""


def load(variables: Mapping[str, str]) -> Settings:
    """Return the settings from the environment, overridden by `variables`; raise InvalidSettings."""
    return read(Settings, "LIBRA_LOCAL_", {**os.environ, **variables})


def inherited_environment() -> dict[str, str]:
    """Return this process's environment, which the services inherit; it includes the API keys of models."""
    return dict(os.environ)
