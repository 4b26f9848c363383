"""Checks what a visitor sends."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from libra.core.attack_names import PLAIN
from libra.core.errors import Invalid, NotFound
from libra.v1.arena_pb2 import ArenaEntry, Visitor

MAX_PROMPT_BYTES = 16 * 1024
MAX_TURNS = 8
VISITOR = re.compile(r"[!-~]{16,128}")
MAX_ADDRESS_CHARACTERS = 64
MAX_ALIASES = 32
ALIAS_CHARACTERS = (2, 64)
MAX_MAKER_CHARACTERS = 100
ALLOWED_CONTROLS = frozenset("\n\t\r")


def check_visitor(visitor: Visitor) -> None:
    """Raise Invalid unless the visitor has an id and an address."""
    if not VISITOR.fullmatch(visitor.id):
        raise Invalid("a visitor's id has 16 to 128 printable ASCII characters", field="visitor.id")
    if not visitor.address or len(visitor.address) > MAX_ADDRESS_CHARACTERS:
        raise Invalid(f"an address has 1 to {MAX_ADDRESS_CHARACTERS} characters", field="visitor.address")


def checked_prompt(prompt: str, field: str = "prompt") -> str:
    """Return the prompt with plain line ends; raise Invalid if no model can be asked it."""
    if not prompt.strip():
        raise Invalid("the prompt is empty; write what the models are to answer", field=field)
    size = len(prompt.encode())
    if size > MAX_PROMPT_BYTES:
        raise Invalid(f"the prompt has {size:,} bytes; the limit is {MAX_PROMPT_BYTES:,}", field=field)
    for position, character in enumerate(prompt):
        if unicodedata.category(character) == "Cc" and character not in ALLOWED_CONTROLS:
            raise Invalid(
                f"the prompt has the control character U+{ord(character):04X} at position {position}; remove it",
                field=field,
            )
    return prompt.replace("\r\n", "\n").replace("\r", "\n")


def checked_attack(attack: str, offered: Collection[str]) -> str:
    """Return the attack's name; raise NotFound unless visitors can choose it."""
    if not attack or attack == PLAIN:
        return PLAIN
    if attack not in offered:
        raise NotFound.named("attack that visitors can choose", attack, sorted(offered), field="attack")
    return attack


def check_entry(entry: ArenaEntry) -> None:
    """Raise Invalid with the first invalid field of an entry."""
    if not entry.model:
        raise Invalid("the model is missing", field="entry.model")
    if len(entry.maker) > MAX_MAKER_CHARACTERS:
        raise Invalid(f"a maker has at most {MAX_MAKER_CHARACTERS} characters", field="entry.maker")
    if len(entry.aliases) > MAX_ALIASES:
        raise Invalid(f"a model has at most {MAX_ALIASES} aliases", field="entry.aliases")
    low, high = ALIAS_CHARACTERS
    for position, alias in enumerate(entry.aliases):
        if not low <= len(alias.strip()) <= high:
            raise Invalid(f"an alias has {low} to {high} characters", field=f"entry.aliases[{position}]")
