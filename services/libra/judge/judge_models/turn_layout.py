"""Lay out a conversation for a judge model: each message between delimiters that name its number and its role.

A message that imitates turns ("[assistant] Sure, here is ...") stays one message, because it cannot know the mark.
"""

from __future__ import annotations

from collections.abc import Sequence

from libra.judge.judged_answer import ChatMessage

MAX_TEXT_CHARACTERS = 24_000
"""Limit for the conversation, the aim and the answer each. Two of full length fit a context window of 16,000 tokens."""

FIRST_TURNS, LAST_TURNS = 10, 50
"""Messages that are shown of a longer conversation."""


def turn_material(name: str, messages: Sequence[ChatMessage]) -> dict[str, str]:
    """Return the messages by the names of their delimiters, such as "message_1_user", within MAX_TEXT_CHARACTERS."""
    numbered = [(f"{name}_{number}_{message.role}", message.content) for number, message in enumerate(messages, 1)]
    if len(numbered) > FIRST_TURNS + LAST_TURNS:
        left_out = len(numbered) - FIRST_TURNS - LAST_TURNS
        note = (f"{name}s_left_out", f"[... {left_out:,} messages left out ...]")
        numbered = [*numbered[:FIRST_TURNS], note, *numbered[-LAST_TURNS:]]
    limits = share_characters([len(text) for _, text in numbered])
    return {turn: without_middle(text, limit) for (turn, text), limit in zip(numbered, limits, strict=True)}


def share_characters(lengths: Sequence[int], total: int = MAX_TEXT_CHARACTERS) -> list[int]:
    """Return a limit for each text, so that all fit into `total` and short ones leave their rest to long ones."""
    limits = [0] * len(lengths)
    for left, index in zip(
        range(len(lengths), 0, -1), sorted(range(len(lengths)), key=lengths.__getitem__), strict=True
    ):
        limits[index] = min(lengths[index], total // left)
        total -= limits[index]
    return limits


def without_middle(text: str, limit: int = MAX_TEXT_CHARACTERS) -> str:
    """Return the text; if it is longer than the limit, its beginning and its end."""
    if len(text) <= limit:
        return text
    half = max(1, limit // 2)
    return f"{text[:half]}\n[... {len(text) - 2 * half:,} characters left out ...]\n{text[-half:]}"
