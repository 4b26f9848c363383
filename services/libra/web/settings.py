"""The settings of web: the environment variables LIBRA_WEB_*."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from libra.core.settings import Seconds, Target

RemoteAccess = Literal["no", "public-boards", "public-boards-and-transcripts"]
"""The pages that may be read from another machine, without a password."""

HostNames = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9.-]+(,[A-Za-z0-9.-]+)*)?$", max_length=4096)]
"""Host names, separated by commas."""


ForwardedHeader = Literal["x-forwarded-for", "forwarded"]
"""The header in which proxies write whom they forward."""


def check_networks(networks: str) -> str:
    """Return the networks; raise ValueError for one that is none."""
    for each in networks.split(",") if networks else ():
        try:
            ipaddress.ip_network(each.strip())
        except ValueError as error:
            raise ValueError(f"{error}; write networks as 10.0.0.0/8,fd00::/8, or single addresses") from None
    return networks


Networks = Annotated[str, StringConstraints(max_length=4096), AfterValidator(check_networks)]
"""Networks of IP addresses, separated by commas."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The services that the pages read, and who may read the pages."""

    dispatch_address: Target = "127.0.0.1:50051"
    """Address of dispatch."""

    attack_address: Target = "127.0.0.1:50052"
    """Address of attack."""

    gateway_address: Target = "127.0.0.1:50053"
    """Address of gateway."""

    judge_address: Target = "127.0.0.1:50054"
    """Address of judge."""

    ranking_address: Target = "127.0.0.1:50055"
    """Address of ranking."""

    arena_address: Target = "127.0.0.1:50056"
    """Address of arena."""

    call_seconds: Seconds = 10.0
    """Time limit of one call to a service; after it the page says that the service is away."""

    allow_remote: RemoteAccess = "no"
    """With "no", the process refuses to listen on an address that other machines reach. "public-boards" shows boards to
    everyone who can connect; "public-boards-and-transcripts" also shows every prompt and answer, and lets everyone
    cancel runs."""

    host_names: HostNames = ""
    """The names under which the pages are reached, besides localhost and IP addresses. A request for another name is
    refused, so that a foreign site cannot read the pages through a name that points here."""

    trusted_proxies: Networks = ""
    """The networks of the proxies in front of the pages, separated by commas: a visitor's address is then the last one
    in their header that is none of theirs. Empty: the address of the connection counts, and no header."""

    forwarded_header: ForwardedHeader = "x-forwarded-for"
    """The header in which the trusted proxies write the address that they saw. No other is read: they pass on what a
    visitor writes there."""

    key_file: str = ""
    """File with the secret, of at least 32 bytes, that signs cookies and form tokens. Replicas need the same one.
    Empty: a new secret at each start, after which open forms must be loaded again."""
