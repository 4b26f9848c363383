"""The law of teams: what the work of this task may see, change and own. Decision 0051 has the reasons.

Whatever is owned has a field `team`, which is empty for what all teams share. Each task works for a team:

| it works for | it sees | it changes |
|---|---|---|
| None: a caller without a team, a worker | everything | everything |
| a team | what the team owns, and what is shared | what the team owns |
| "": the work of something shared | what is shared | what is shared |

The guard sets the team of a call, and a stage that of a batch. The collections of the store apply the rules to what
they read and change; a handler only says what cannot be changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from libra.core.errors import FailedPrecondition, Invalid, PermissionDenied

SHARED = ""
"""The owner of what every team sees."""

DEPLOYMENT = "*"
"""The owner of what no team sees, only a caller without one."""

NAME = re.compile(r"[a-z0-9._-]{1,64}")

SEPARATOR = "\0"
"""Between a team and a name that is unique within it: no name contains this character."""

_TEAM: ContextVar[str | None] = ContextVar("libra_team", default=None)


def enter(team: str | None) -> None:
    """Set for the rest of this task, and for all tasks that it starts, for which team it works."""
    _TEAM.set(team)


@contextmanager
def acting_for(team: str | None) -> Iterator[None]:
    """Let the block work for another team."""
    token = _TEAM.set(team)
    try:
        yield
    finally:
        _TEAM.reset(token)


def current() -> str | None:
    """Return the team for which this task works; see above for None and ""."""
    return _TEAM.get()


def can_see(owner: str) -> bool:
    """Return whether this task sees what `owner` owns."""
    team = current()
    return team is None or owner in (SHARED, team)


def can_change(owner: str) -> bool:
    """Return whether this task may change what `owner` owns."""
    team = current()
    return team is None or owner == team


def require_change(owner: str, what: str) -> None:
    """Raise PermissionDenied unless this task may change what it sees; `what` names it, for instance "the run 01J"."""
    if not can_change(owner):
        raise PermissionDenied(f"{what} is shared by all teams: only a caller without a team may change it")


def owner_of_new(requested: str = SHARED, *, field: str = "") -> str:
    """Return the owner of what this task creates: its team, or without one the requested team.

    Raises Invalid for a text that is no name of a team, and PermissionDenied for another team.
    """
    if requested and not NAME.fullmatch(requested):
        raise Invalid(
            f"{requested!r} is no name of a team: use 1 to 64 lower-case letters, digits, dots, underscores and "
            "hyphens",
            field=field,
        )
    team = current()
    if team is None:
        return requested
    if requested not in (SHARED, team):
        raise PermissionDenied(
            "a caller of a team creates only what its own team owns; leave the team out", field=field
        )
    return team


def common_owner(owners: Iterable[str]) -> str:
    """Return the owner of what is made of things with these owners: the only team among them, or all teams.

    Raises FailedPrecondition if they belong to several teams: no team may see the result.
    """
    teams = sorted(set(owners) - {SHARED})
    if len(teams) > 1:
        raise FailedPrecondition(f"it uses what belongs to the teams {' and '.join(teams)}; use that of one team")
    return teams[0] if teams else SHARED


def partition() -> str:
    """Return what stored answers are shared within: a team, or "" for all work on what is shared."""
    return current() or SHARED


def qualified(name: str) -> str:
    """Return the name under which this task stores what has to be unique within its team; "" stays empty."""
    return f"{partition()}{SEPARATOR}{name}" if name and partition() else name
