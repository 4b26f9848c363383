"""Queries for the documents that the current task sees or may change, by the law of `libra.core.access.team_scope`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libra.core.access import team_scope
from libra.core.errors import Conflict
from libra.store.documents.proto_documents import Document

TEAM = "team"
"""The field of the owner; a document without it is shared."""


def visible(field: str = TEAM) -> Document:
    """Return the query for the documents that this task sees; `field` is the path of the owner."""
    team = team_scope.current()
    if team is None:
        return {}
    return {field: {"$in": [None, team]}} if team else {field: None}


def changeable(field: str = TEAM) -> Document:
    """Return the query for the documents that this task may change."""
    team = team_scope.current()
    return {} if team is None else {field: team or None}


def name_taken(field: str, name: str) -> Conflict:
    """Return the error for a name that something hidden has: it says nothing of whose it is."""
    return Conflict(f"the name {name!r} is taken; use another name", field=field)


def is_visible(document: Mapping[str, Any], field: str = TEAM) -> bool:
    """Return whether this task sees a document; for stores that have no queries."""
    return team_scope.can_see(owner_in(document, field))


def is_changeable(document: Mapping[str, Any], field: str = TEAM) -> bool:
    """Return whether this task may change a document; for stores that have no queries."""
    return team_scope.can_change(owner_in(document, field))


def owner_in(document: Mapping[str, Any], field: str = TEAM) -> str:
    """Return the owner of a document at a path of keys."""
    value: Any = document
    for key in field.split("."):
        value = value.get(key, {})
    return value if isinstance(value, str) else team_scope.SHARED
