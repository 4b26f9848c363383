"""The caller of a call: its name, role and team."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum, auto


class Role(StrEnum):
    """A set of rights."""

    READER = auto()
    RUNNER = auto()
    AUDITOR = auto()
    ADMIN = auto()
    SERVICE = auto()
    """Another service of Libra; no token has this role."""

    NONE = auto()
    """No rights: a person to whom the identity provider gives no role of Libra, or a caller while access is off."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a method."""

    name: str
    """Source of the name, and the name: "token:nightly-ci", "file:admin", "certificate:judge.libra",
    "oidc:ISSUER#SUBJECT"."""

    role: Role
    team: str = ""


CURRENT: ContextVar[Caller | None] = ContextVar("libra_caller", default=None)
"""The caller of this task's call; None where access is off."""


def caller_name() -> str:
    """Return the name of the caller that is served; "" where access is off."""
    current = CURRENT.get()
    return current.name if current else ""
