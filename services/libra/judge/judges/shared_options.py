"""Options that several judges share."""

from __future__ import annotations

from libra.judge.options import Option

SENSITIVE, INSENSITIVE = "sensitive", "insensitive"


def field(what: str) -> Option:
    """Return the option that names the field which holds `what`."""
    return Option("field", f"The field of the sample that holds {what}.", required=True)


CASE = Option(
    "case",
    "Whether upper and lower case are told apart.",
    values=(INSENSITIVE, SENSITIVE),
    default=INSENSITIVE,
)


def missing(field_name: str) -> str:
    """Return the reason of a judge whose field the sample does not have."""
    return f"the sample has no field {field_name!r} to compare with"


def names_in(listed: str) -> tuple[str, ...]:
    """Return the names that stand in an option with commas between."""
    return tuple(name for part in listed.split(",") if (name := part.strip()))
