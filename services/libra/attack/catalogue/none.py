"""No attack: the plain prompt, against which all others are measured."""

from __future__ import annotations

from libra.attack.catalogue.attack import Attack
from libra.attack.conversation import Turns
from libra.attack.seeded_random import SeededRandom


def keep(turns: Turns, _rng: SeededRandom) -> Turns:
    """Return the conversation as it is."""
    return turns


NONE = Attack(
    name="none",
    version="1",
    description="Puts the prompt as it stands.",
    source="none: the baseline",
    transform=keep,
    family="none",
)
