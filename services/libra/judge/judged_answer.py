"""The input of a judge: an answer, its conversation, and the fields of its sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation."""

    role: str
    """ "system", "user" or "assistant"."""

    content: str


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """The answer of a model, with everything that a judge may use."""

    text: str
    """Without reasoning blocks and the space around it; may be empty."""

    messages: tuple[ChatMessage, ...] = ()
    """The conversation before the answer, as the attack left it."""

    fields: Mapping[str, str] = field(default_factory=dict)
    """The sample's other fields: reference answers, secrets, subgroups."""

    filtered: bool = False
    """Whether the provider's own filter stopped the answer, or the provider marks it as a refusal; `text` is the part
    before that."""

    truncated: bool = False
    """Whether the answer was cut off; `text` is the part before that."""

    lacks_text: bool = False
    """Whether the model called tools and wrote no text."""

    aim: tuple[ChatMessage, ...] = ()
    """The conversation before an attack; empty for the plain prompt."""

    rewritten: bool = False
    """Whether the attack may have replaced the request by another one, so that only the aim tells what was wanted."""

    is_risky: bool = False
    """Whether the trial is in a category in which an answer may do harm."""

    def last_user_message(self) -> str:
        """Return the content of the last user message; empty if there is none."""
        return next((message.content for message in reversed(self.messages) if message.role == "user"), "")
