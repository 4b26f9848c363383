"""The form of API keys, and their removal from what providers return."""

from __future__ import annotations

from libra.v1.model_pb2 import Model

PIECE_CHARACTERS = 8
"""A piece of a key of this length is treated as the key."""

MASK = "[key]"


class NoKey(Exception):
    """An API key is missing, invalid or for another host; the message names the variable or file, never its content."""


class NoToken(NoKey):
    """No token was issued for the key for now; the same request may succeed later."""


def checked_key(key: str, kind: str, name: str, model: Model) -> str:
    """Return a key from a variable or file (`kind`). Raises NoKey if it is empty, or if no header can carry it."""
    if not key:
        raise NoKey(
            f"the {kind} {name} is not set in the gateway; set it to the API key of {model.name}, then start the "
            "gateway again (`libra down && libra up`): a process does not see later changes"
        )
    if not (key.isascii() and key.isprintable()):
        raise NoKey(f"the {kind} {name} contains characters that no API key has; set it again")
    return key


def scrub(text: str, keys: str) -> str:
    """Return `text` with each key masked, and every piece of it of 8 characters or more: providers quote keys cut.

    `keys` has one key a line.
    """
    for key in filter(None, keys.split("\n")):
        text = _scrub_one(text, key)
    return text


def _scrub_one(text: str, key: str) -> str:
    size = min(PIECE_CHARACTERS, len(key))
    if len(text) < size:
        return text
    pieces = {key[start : start + size] for start in range(len(key) - size + 1)}
    if not any(piece in text for piece in pieces):
        return text
    result: list[str] = []
    masked_to = 0
    for position in range(len(text)):
        if text[position : position + size] in pieces:
            if masked_to <= position:
                result.append(MASK)
            masked_to = position + size
        if position >= masked_to:
            result.append(text[position])
    return "".join(result)
