"""Every attack there is, by name: the one place a new family is entered in."""

from __future__ import annotations

from types import MappingProxyType

from libra.attack.catalogue.attack import Attack
from libra.attack.catalogue.ciphering import CIPHERING
from libra.attack.catalogue.do_anything_now import DO_ANYTHING_NOW
from libra.attack.catalogue.few_shots import FEW_SHOTS
from libra.attack.catalogue.none import NONE
from libra.attack.catalogue.refusal_suppression import REFUSAL_SUPPRESSION

ATTACKS = MappingProxyType(
    {attack.name: attack for attack in (CIPHERING, DO_ANYTHING_NOW, FEW_SHOTS, NONE, REFUSAL_SUPPRESSION)}
)


def find(name: str) -> Attack | None:
    """Return the attack of that name; None if there is none."""
    return ATTACKS.get(name)


def listing() -> list[Attack]:
    """Return every attack, in order of name."""
    return [ATTACKS[name] for name in sorted(ATTACKS)]
