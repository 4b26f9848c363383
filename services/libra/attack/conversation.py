"""A conversation, and the checks that it must pass before an attack is applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libra.core.errors import Invalid

ROLES = ("system", "user", "assistant")

MAX_TURNS = 1_000
MAX_TEXT_BYTES = 2 * 1024 * 1024
"""Text of all turns together, in UTF-8. A task's record has the same limit."""

MAX_ATTACKED_BYTES = 4 * 1024 * 1024
"""Text of all turns together after an attack; some attacks write a dozen characters for one. A message on the queue may
have 8 MiB, which leaves room for the trial's other fields."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: str
    """One of ROLES."""

    content: str


Turns = tuple[Turn, ...]
"""A conversation, the earliest turn first."""


def check_conversation(turns: Sequence[Turn]) -> None:
    """Raise Invalid, which names the field at fault, unless this is a conversation whose last turn is a user's."""
    if not turns:
        raise Invalid("there is no message to rewrite; give at least a user's", field="messages")
    if len(turns) > MAX_TURNS:
        raise Invalid(f"{len(turns):,} messages; the limit is {MAX_TURNS:,}", field="messages")
    check_size(turns, MAX_TEXT_BYTES)
    for index, turn in enumerate(turns):
        if turn.role not in ROLES:
            raise Invalid(
                f"{turn.role!r:.80} is not a role; there are: {', '.join(ROLES)}", field=f"messages[{index}].role"
            )
    if turns[-1].role != "user":
        raise Invalid(
            f"the last message is the {turns[-1].role}'s; an attack rewrites a user's",
            field=f"messages[{len(turns) - 1}].role",
        )


def check_size(turns: Sequence[Turn], max_bytes: int) -> None:
    """Raise Invalid if the text of the turns is larger than `max_bytes`."""
    size_bytes = sum(len(turn.content.encode()) for turn in turns)
    if size_bytes > max_bytes:
        raise Invalid(f"{size_bytes:,} bytes of text; the limit is {max_bytes:,}", field="messages")
