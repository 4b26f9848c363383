"""The environment variables that the command line reads."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from libra.core.settings import read, reject_scheme

ServiceAddress = Annotated[str, AfterValidator(reject_scheme)]


@dataclass(frozen=True, slots=True)
class Settings:
    """The addresses of the services; an empty address is taken from the state file that `libra up` writes."""

    data: Path = Path(".libra")
    """LIBRA_DATA: the data folder of the system on this machine."""

    dispatch_address: ServiceAddress = ""
    attack_address: ServiceAddress = ""
    gateway_address: ServiceAddress = ""
    judge_address: ServiceAddress = ""
    ranking_address: ServiceAddress = ""
    arena_address: ServiceAddress = ""

    mongo_database: str = "libra"
    """LIBRA_MONGO_DATABASE: the database of backups and restores."""

    tls_ca_file: str = ""
    """LIBRA_TLS_CA_FILE: the authorities that sign the certificates of the services."""

    tls_cert_file: str = ""
    """LIBRA_TLS_CERT_FILE: the certificate chain that commands show to the services, for mutual TLS."""

    tls_key_file: str = ""
    """LIBRA_TLS_KEY_FILE: the private key of this certificate."""

    token: str = field(default="", repr=False)
    """LIBRA_TOKEN: the token that commands send."""

    token_file: str = ""
    """LIBRA_TOKEN_FILE: a file with this token that other users cannot read."""

    def address(self, service: str) -> str:
        """Return the address that the environment gives for the service, "" if it gives none."""
        return str(getattr(self, f"{service}_address"))


def load() -> Settings:
    """Return the settings; raise InvalidSettings."""
    return read(Settings, "LIBRA_", os.environ)
