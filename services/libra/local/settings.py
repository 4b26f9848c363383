"""The environment variables that `libra up` reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from libra.core.access.key_rules import DEFAULT_VARIABLES, VARIABLES_SETTING, KeyVariables
from libra.core.http.address_policy import SETTING, AllowedNetworks
from libra.core.settings import check_mongo_url, check_nats_url, read


@dataclass(frozen=True, slots=True)
class Settings:
    """URLs of your own servers, which replace the local ones, and options of the local servers."""

    nats_url: str = field(default="", metadata={"env": "LIBRA_NATS_URL"})
    """Your own NATS server; if it is empty, a nats-server is started."""

    mongo_url: str = field(default="", metadata={"env": "LIBRA_MONGO_URL"})
    """Your own MongoDB; if it is empty, a mongod is started."""

    nats_store_bytes: Annotated[int, Field(ge=0, le=2**50)] = 64 * 1024**3
    """LIBRA_LOCAL_NATS_STORE_BYTES: the most that nats-server stores on disk; 0: three quarters of the space that is
    free when it starts. A server that started on a full disk would then store nothing until its next start."""

    watchdog: bool = True
    """LIBRA_LOCAL_WATCHDOG: whether `libra up` also starts the watchdog, which restarts the two servers."""

    key_variables: KeyVariables = field(default=DEFAULT_VARIABLES, metadata={"env": VARIABLES_SETTING})
    """The variables that the gateway inherits as API keys."""

    allowed_networks: AllowedNetworks = field(default="", metadata={"env": SETTING})
    """Networks in which models may be, in addition to the internet and this machine."""


def load(variables: Mapping[str, str]) -> Settings:
    """Return the settings from the environment, overridden by `variables`; raise InvalidSettings."""
    settings = read(Settings, "LIBRA_LOCAL_", {**os.environ, **variables})
    if settings.nats_url:
        check_nats_url(settings.nats_url)
    if settings.mongo_url:
        check_mongo_url(settings.mongo_url)
    return settings


def inherited_environment() -> dict[str, str]:
    """Return this process's environment; it includes the API keys of models."""
    return dict(os.environ)
