"""What the command line reads from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from libra.settings import read


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the services are. An address that is not set is taken from what `libra up` wrote down."""

    data: Path = Path(".libra")
    """LIBRA_DATA: the data folder of the system on this machine."""

    dispatch_address: str = ""
    attack_address: str = ""
    gateway_address: str = ""
    judge_address: str = ""
    ranking_address: str = ""

    def address(self, service: str) -> str:
        """Return the address that the environment gives for the service, "" if none."""
        return str(getattr(self, f"{service}_address"))


def load() -> Settings:
    """Return the settings; raise BadSettings."""
    return read(Settings, "LIBRA_", os.environ)
