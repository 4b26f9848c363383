"""Every attack there is, by name: the one place a new family is entered in."""

from __future__ import annotations

from types import MappingProxyType

from libra.attack.catalogue.attack import Attack
from libra.attack.catalogue.ciphering import CIPHERING
from libra.attack.catalogue.composing import JOIN, MAX_STEPS, compose
from libra.attack.catalogue.do_anything_now import DO_ANYTHING_NOW
from libra.attack.catalogue.few_shots import FEW_SHOTS
from libra.attack.catalogue.none import NONE
from libra.attack.catalogue.refusal_suppression import REFUSAL_SUPPRESSION
from libra.errors import unknown

# Attacks that ask no model. A family is a tuple in its own file: `*FAMILY`.
BY_RULES = (CIPHERING, DO_ANYTHING_NOW, FEW_SHOTS, NONE, REFUSAL_SUPPRESSION)

# Attacks that ask a model, with or without rules to fall back on, and those of several turns.
BY_MODEL: tuple[Attack, ...] = ()

ATTACKS = MappingProxyType({attack.name: attack for attack in (*BY_RULES, *BY_MODEL)})


def find(name: str) -> Attack | None:
    """Return the attack of that name, or the composition of several joined by "+"; None if there is none (see `missing`)."""
    if JOIN not in name:
        return ATTACKS.get(name)
    steps = [ATTACKS[step] for step in name.split(JOIN) if step in ATTACKS and step != NONE.name]
    whole = len(steps) == name.count(JOIN) + 1
    return compose(steps) if whole and len(steps) <= MAX_STEPS else None


def missing(name: str) -> str:
    """Return the sentence that says why `find` has found nothing."""
    steps = name.split(JOIN)
    if len(steps) > MAX_STEPS:
        return f"{len(steps)} attacks are joined in {name!r:.80}; the limit is {MAX_STEPS}"
    strange = next((step for step in steps if step not in ATTACKS), None)
    if strange is None:
        return f"{NONE.name} is no attack; it cannot be joined with others, as in {name!r:.80}"
    return unknown("attack", strange, sorted(ATTACKS))


def listing() -> list[Attack]:
    """Return every single attack, in order of name."""
    return [ATTACKS[name] for name in sorted(ATTACKS)]
