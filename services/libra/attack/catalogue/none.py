"""The attack none: the unchanged prompt, the baseline for all other attacks."""

from __future__ import annotations

from libra.attack.catalogue.attack import Attack
from libra.attack.conversation import Turns
from libra.attack.seeded_random import SeededRandom
from libra.core.attack_names import PLAIN


def keep_turns(turns: Turns, _rng: SeededRandom) -> Turns:
    """Return the conversation unchanged."""
    return turns


NONE = Attack(
    name=PLAIN,
    version="1",
    description="Sends the prompt unchanged.",
    source="none: the baseline",
    transform=keep_turns,
    family="none",
)
