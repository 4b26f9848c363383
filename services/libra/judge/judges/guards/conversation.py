"""Prepare the conversation and the answer that a guard judges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from libra.judge.judged_answer import ChatMessage, JudgedAnswer
from libra.judge.judges.guards.turn_escaping import escape_turns

USER, ASSISTANT = "user", "assistant"

PAIR = 2

NO_MESSAGE = "(no message)"
"""Stands for the user's turn if there is none: the templates of guards want one."""

MAX_CHARACTERS = 24_000
"""Limit for one turn: about 6,000 tokens of English."""


@dataclass(frozen=True, slots=True)
class JudgedExchange:
    """The conversation that a guard judges: the turns of user and assistant, escaped; the last is the answer."""

    turns: tuple[ChatMessage, ...]

    @property
    def request(self) -> str:
        """The last turn of the user."""
        return self.turns[-2].content

    @property
    def answer(self) -> str:
        """The answer to judge."""
        return self.turns[-1].content


def with_aim(answer: JudgedAnswer, aim_field: str) -> JudgedAnswer:
    """Return the answer as one to the plain request in a field of its sample, if the sample has that field."""
    aim = answer.fields.get(aim_field, "").strip() if aim_field else ""
    return replace(answer, messages=(ChatMessage(USER, aim),)) if aim else answer


def before_attack(answer: JudgedAnswer) -> JudgedAnswer:
    """Return the answer as one to the conversation before an attack.

    For judges that ask whether an answer does what was wanted of it, and not whether it is harmful.
    """
    return replace(answer, messages=answer.aim) if answer.aim else answer


def judged_exchange(answer: JudgedAnswer, max_characters: int = MAX_CHARACTERS) -> JudgedExchange:
    """Return the exchange in turns that alternate, begin with the user and end with the answer.

    The request and the answer have at most `max_characters` each, and so have the earlier turns together.
    """
    prompts = list(_alternating(answer.messages))
    if not prompts or prompts[-1].role == ASSISTANT:
        prompts.append(ChatMessage(USER, NO_MESSAGE))
    *earlier, request = prompts
    turns = [*_latest(earlier, max_characters), request, ChatMessage(ASSISTANT, answer.text)]
    return JudgedExchange(
        tuple(ChatMessage(turn.role, escape_turns(shorten(turn.content, max_characters))) for turn in turns)
    )


def shorten(text: str, max_characters: int) -> str:
    """Return the text; if it is too long, its beginning and its end."""
    if len(text) <= max_characters:
        return text
    half = max_characters // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half:,} characters left out ...]\n{text[-half:]}"


def _latest(turns: Sequence[ChatMessage], max_characters: int) -> Sequence[ChatMessage]:
    """Return the latest pairs of turns that fit."""
    start, free = len(turns), max_characters
    while start >= PAIR and free >= (size := sum(len(turn.content) for turn in turns[start - PAIR : start])):
        start, free = start - PAIR, free - size
    return turns[start:]


def labelled_turns(exchange: JudgedExchange, user: str, assistant: str) -> str:
    """Return the turns as text, each with its label and separated by empty lines."""
    return "\n\n".join(f"{user if turn.role == USER else assistant}: {turn.content}" for turn in exchange.turns)


def _alternating(messages: Iterable[ChatMessage]) -> Iterable[ChatMessage]:
    """Yield turns of user and assistant in turn: a system message belongs to the user's turn that follows."""
    pending: list[str] = []
    role = USER
    for message in messages:
        found = ASSISTANT if message.role == ASSISTANT else USER
        if found != role:
            yield ChatMessage(role, "\n\n".join(pending) or NO_MESSAGE)
            pending, role = [], found
        pending.append(message.content)
    if pending:
        yield ChatMessage(role, "\n\n".join(pending))
