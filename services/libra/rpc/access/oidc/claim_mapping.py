"""Map the claims of a token to a caller: its name, role and team."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from libra.core.errors import Unauthenticated
from libra.rpc.access.caller import Caller, Role

ROLES = (Role.READER, Role.RUNNER, Role.AUDITOR, Role.ADMIN)
TEAM = re.compile(r"[a-z0-9._-]{1,64}")
"""As in a token of Libra."""


@dataclass(frozen=True, slots=True)
class RoleMapping:
    """The roles of the groups that a provider knows."""

    by_group: Mapping[str, Role]
    """In the order of the setting: of several groups, the first one counts."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the mapping of "libra-admins=admin,ml=runner". Raises ValueError."""
        found: dict[str, Role] = {}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            group, equals, role = entry.rpartition("=")
            if not equals or not group or role not in ROLES:
                raise ValueError(f"{entry!r} must be GROUP=ROLE; the roles are {', '.join(ROLES)}")
            found[group] = Role(role)
        return cls(MappingProxyType(found))

    def role(self, groups: frozenset[str]) -> Role:
        """Return the role of a member of these groups; NONE if none of them has one."""
        return next((role for group, role in self.by_group.items() if group in groups), Role.NONE)


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """Maps the claims of a token to a caller. A claim may be nested: "realm_access.roles"."""

    issuer: str
    roles: RoleMapping
    role_claim: str = "groups"
    team_claim: str = ""
    """"": callers have no team."""

    def caller(self, claims: Mapping[str, Any]) -> Caller:
        """Return the caller. Raises Unauthenticated if the claim with the team has none."""
        role = self.roles.role(words(find_claim(claims, self.role_claim)))
        return Caller(f"oidc:{self.issuer}#{claims['sub']}", role, self._team(claims))

    def _team(self, claims: Mapping[str, Any]) -> str:
        if not self.team_claim:
            return ""
        value = find_claim(claims, self.team_claim)
        team = value[0] if isinstance(value, list) and len(value) == 1 else value
        if not isinstance(team, str) or not TEAM.fullmatch(team):
            raise Unauthenticated(
                f"the claim {self.team_claim} of the token must be one team, of 1 to 64 lower-case letters, digits, "
                "dots, underscores and hyphens"
            )
        return team


def find_claim(claims: Mapping[str, Any], path: str) -> Any:
    """Return the claim of this name or, without one, the value at this path with dots; None if there is none."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def words(value: Any) -> frozenset[str]:
    """Return the texts of a list, or of a text with spaces between them, as the claim `scope` has them."""
    parts = value.split() if isinstance(value, str) else value
    return frozenset(part for part in parts if isinstance(part, str)) if isinstance(parts, list) else frozenset()
