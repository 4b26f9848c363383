"""What every attack is, whatever it does to a prompt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from libra.attack.draw import Draw
from libra.attack.turns import Turn, Turns, check

HARMLESS: Turns = (Turn("user", "How do magnets work?"),)
"""What the catalogue shows attacks on."""


@dataclass(frozen=True, slots=True)
class Attack:
    """A named, versioned, seeded transformation of a conversation."""

    name: str
    """Lower-case letters, digits and "_"; never "+", which is kept for compositions."""

    version: str
    """Raised whenever the same conversation and seed would give another text."""

    description: str
    """What it does, in a sentence."""

    source: str
    """Where it was published."""

    transform: Callable[[Turns, Draw], Turns]
    """Takes a conversation that a user spoke last in, and returns another such; pure."""

    def apply(self, turns: Turns, seed: int) -> Turns:
        """Return the conversation under attack; raise Invalid if it is none that an attack can be put to.

        What is chosen depends on the seed and the attack's name, so that two attacks on one sample choose independently.
        """
        check(turns)
        return self.transform(turns, Draw(f"{self.name}/{seed}"))

    def example(self) -> Turns:
        """Return what it makes of a harmless prompt."""
        return self.apply(HARMLESS, seed=0)


def on_last_turn(rewrite: Callable[[str, Draw], str]) -> Callable[[Turns, Draw], Turns]:
    """Return the transformation that rewrites what the user said last and leaves every other turn as it is."""

    def transform(turns: Turns, draw: Draw) -> Turns:
        *earlier, last = turns
        return (*earlier, replace(last, content=rewrite(last.content, draw)))

    return transform
