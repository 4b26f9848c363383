"""What is judged: an answer, what was asked, and what the sample says beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says."""

    role: str
    """ "system", "user" or "assistant"."""

    content: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said last in a conversation."""

    text: str
    """Without reasoning blocks and the space around it; may be empty."""

    turns: tuple[Turn, ...] = ()
    """The conversation that it answers, after the attack."""

    fields: Mapping[str, str] = field(default_factory=dict)
    """The sample's other fields: what a judge compares with, and its subgroups."""

    filtered: bool = False
    """The provider's own filter stopped it; `text` is what came before."""

    def question(self) -> str:
        """Return the last thing that the user said; empty if no user spoke."""
        return next((turn.content for turn in reversed(self.turns) if turn.role == "user"), "")
