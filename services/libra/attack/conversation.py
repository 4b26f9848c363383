"""A conversation, and what one must be to come under attack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libra.errors import Invalid

ROLES = ("system", "user", "assistant")

MAX_TURNS = 1_000
MAX_TEXT_BYTES = 2 * 1024 * 1024
"""Of all turns together, in UTF-8; a task's record may hold as much."""

MAX_ATTACKED_BYTES = 4 * 1024 * 1024
"""Of all turns together after an attack, some of which write a dozen characters for one. One message on the queue may have
8 MiB, and holds the trial with its fields besides."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says."""

    role: str
    """One of ROLES."""

    content: str


Turns = tuple[Turn, ...]
"""A conversation, the earliest turn first."""


def check_conversation(turns: Sequence[Turn]) -> None:
    """Raise Invalid, naming the field at fault, unless this is a conversation that a user spoke last in."""
    if not turns:
        raise Invalid("there is no message to rewrite; give at least a user's", field="messages")
    if len(turns) > MAX_TURNS:
        raise Invalid(f"{len(turns):,} messages; the limit is {MAX_TURNS:,}", field="messages")
    check_size(turns, MAX_TEXT_BYTES)
    for place, turn in enumerate(turns):
        if turn.role not in ROLES:
            raise Invalid(
                f"{turn.role!r:.80} is no role; there are: {', '.join(ROLES)}", field=f"messages[{place}].role"
            )
    if turns[-1].role != "user":
        raise Invalid(
            f"the last message is the {turns[-1].role}'s; an attack rewrites a user's",
            field=f"messages[{len(turns) - 1}].role",
        )


def check_size(turns: Sequence[Turn], most_bytes: int) -> None:
    """Raise Invalid if the turns hold more bytes of text than that."""
    size_bytes = sum(len(turn.content.encode()) for turn in turns)
    if size_bytes > most_bytes:
        raise Invalid(f"{size_bytes:,} bytes of text; the limit is {most_bytes:,}", field="messages")
