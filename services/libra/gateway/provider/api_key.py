"""API keys of models: read from the environment at each request, and removed from what providers return."""

from __future__ import annotations

from collections.abc import Mapping

from libra.v1.model_pb2 import Model

RESERVED_PREFIX = "LIBRA_"
"""Variables with this prefix configure Libra and may hold passwords of its servers: they are sent to no provider."""

PIECE_CHARACTERS = 8
"""A piece of a key of this length is treated as the key."""

MASK = "[key]"


class NoKey(Exception):
    """The API key is missing or invalid; the message names the variable, never its content."""


def problem_of(model: Model, environment: Mapping[str, str]) -> str:
    """Return the problem with the model's API key, or an empty string."""
    try:
        find(model, environment)
    except NoKey as problem:
        return str(problem)
    return ""


def find(model: Model, environment: Mapping[str, str]) -> str:
    """Return the model's API key, or an empty string if it needs none. Raises NoKey."""
    name = model.api_key_env
    if not name:
        return ""
    if name.startswith(RESERVED_PREFIX):
        reason = f"variables that begin with {RESERVED_PREFIX} configure Libra; use another name"
        raise NoKey(f"{name} cannot hold an API key: {reason}")
    key = environment.get(name, "").strip()
    if not key:
        raise NoKey(f"the environment variable {name} is not set in the gateway; set it to the API key of {model.name}")
    if not (key.isascii() and key.isprintable()):
        raise NoKey(f"the environment variable {name} contains characters that no API key has; set it again")
    return key


def scrub(text: str, key: str) -> str:
    """Return `text` with the key, and every piece of it of 8 characters or more, masked: providers quote it cut."""
    if not key:
        return text
    size = min(PIECE_CHARACTERS, len(key))
    pieces = {key[start : start + size] for start in range(len(key) - size + 1)}
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
