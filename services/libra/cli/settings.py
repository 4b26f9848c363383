"""The environment variables that the command line reads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from libra.core.settings import read


@dataclass(frozen=True, slots=True)
class Settings:
    """The addresses of the services; an empty address is taken from the state file that `libra up` writes."""

    data: Path = Path(".libra")
    """LIBRA_DATA: the data folder of the system on this machine."""

    dispatch_address: str = ""
    attack_address: str = ""
    gateway_address: str = ""
    judge_address: str = ""
    ranking_address: str = ""

    def address(self, service: str) -> str:
        """Return the address that the environment gives for the service, "" if it gives none."""
        return str(getattr(self, f"{service}_address"))


def load() -> Settings:
    """Return the settings; raise BadSettings."""
    return read(Settings, "LIBRA_", os.environ)
