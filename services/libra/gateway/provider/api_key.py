"""A model's key: looked up when it is needed, and taken out of whatever a provider says."""

from __future__ import annotations

from collections.abc import Mapping

from libra.v1.model_pb2 import Model

OURS = "LIBRA_"
"""What begins so configures Libra, and may hold the passwords of its servers: it is sent to no provider."""

PIECE_CHARACTERS = 8
"""So much of a key in one piece is taken for the key."""

MARK = "[key]"


class NoKey(Exception):
    """The key cannot be had; the message names the variable and never its content."""


def problem_of(model: Model, environment: Mapping[str, str]) -> str:
    """Return what is wrong with the model's key, or an empty string."""
    try:
        find(model, environment)
    except NoKey as problem:
        return str(problem)
    return ""


def find(model: Model, environment: Mapping[str, str]) -> str:
    """Return the model's key, or an empty string if it needs none; raise NoKey."""
    name = model.api_key_env
    if not name:
        return ""
    if name.startswith(OURS):
        raise NoKey(f"{name} cannot hold a key: variables that begin with {OURS} configure Libra; take another name")
    key = environment.get(name, "").strip()
    if not key:
        raise NoKey(f"the environment variable {name} is not set in the gateway; set it to the key of {model.name}")
    if not (key.isascii() and key.isprintable()):
        raise NoKey(f"the environment variable {name} holds characters that no key has; set it again")
    return key


def scrub(text: str, key: str) -> str:
    """Return `text` with the key, and any longer piece of it, replaced: a provider may quote it, whole or cut."""
    if not key:
        return text
    size = min(PIECE_CHARACTERS, len(key))
    pieces = {key[start : start + size] for start in range(len(key) - size + 1)}
    kept: list[str] = []
    covered_to = 0
    for place in range(len(text)):
        if text[place : place + size] in pieces:
            if covered_to <= place:
                kept.append(MARK)
            covered_to = place + size
        if place >= covered_to:
            kept.append(text[place])
    return "".join(kept)
