"""What every attack is, whatever it does to a prompt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import IntEnum

from libra.attack.attack_session import AttackSession
from libra.attack.catalogue.codecs import identity
from libra.attack.conversation import MAX_ATTACKED_BYTES, Turn, Turns, check_conversation, check_size
from libra.attack.seeded_random import SeededRandom
from libra.errors import Invalid

EXAMPLE_PROMPT: Turns = (Turn("user", "How do magnets work?"),)
"""What the catalogue shows attacks on."""

Transform = Callable[[Turns, SeededRandom], Turns]
"""Takes a conversation that a user spoke last in, and returns another such; pure."""

RewriteWithModel = Callable[[Turns, SeededRandom, AttackSession], Awaitable[Turns]]
"""The same with the help of models; raises Useless if they are none, and Unavailable if they cannot be asked now."""


class ModelUse(IntEnum):
    """Whether an attack asks a model to write for it; numbered as in the protos."""

    NEVER = 1
    """It asks none."""

    OPTIONAL = 2
    """It asks one where one is named, and else follows its rules."""

    REQUIRED = 3
    """It cannot do without."""


@dataclass(frozen=True, slots=True)
class Attack:
    """A named, versioned, seeded transformation of a conversation."""

    name: str
    """Lower-case letters, digits and "_"; "+" stands between the names of a composition."""

    version: str
    """Raised whenever the same conversation and seed would give another text."""

    description: str
    """What it does, in a sentence."""

    source: str
    """Where it was published."""

    transform: Transform | None
    """Its rules; None if it cannot do without a model, and for a composition, whose steps have their own."""

    family: str = ""
    """Its kind, for instance "encoding"."""

    model_use: ModelUse = ModelUse.NEVER
    multi_turn: bool = False
    """True if it speaks with the model under test for several turns before the answer that is judged."""

    decode: Callable[[str], str] | None = None
    """Reads the prompt back out of what the attack makes of it; None unless it encodes."""

    expected_decoding: Callable[[str], str] = identity
    """What `decode` gets back of a prompt: all of it, or, where a code has no small letters, the prompt in capitals."""

    rewrite_with_model: RewriteWithModel | None = None
    """How a model writes it; None if it asks none."""

    static_example: Turns = ()
    """What it made of HARMLESS once, for an attack that cannot show it without a model."""

    steps: tuple[Attack, ...] = ()
    """What a composition consists of, the first to be applied first; empty for a single attack."""

    def apply(self, turns: Turns, seed: int) -> Turns:
        """Return the conversation under attack, by its rules; raise Invalid if it is none that an attack can be put to.

        What is chosen depends on the seed and the attack's name, so that two attacks on one sample choose independently. A step
        of a composition chooses as it does alone, so that `a+b` is `b` of what `a` gives.
        """
        for step in self.steps or (self,):
            check_conversation(turns)
            turns = step.apply_rules(turns, seed)
        return turns

    def apply_rules(self, turns: Turns, seed: int) -> Turns:
        """Return what the rules of this one step make of a conversation that was checked.

        Raises:
            Invalid: there are no rules, or what they give is too large to be sent.
        """
        if self.transform is None:
            raise Invalid(f"the attack {self.name} cannot do without a model to write for it", field="attack_model")
        attacked = self.transform(turns, SeededRandom(f"{self.name}/{seed}"))
        check_size(attacked, MAX_ATTACKED_BYTES)
        return attacked

    def example(self) -> Turns:
        """Return what it makes of a harmless prompt."""
        return self.static_example if self.model_use is ModelUse.REQUIRED else self.apply(EXAMPLE_PROMPT, seed=0)


def rewrite_last_turn(rewrite: Callable[[str, SeededRandom], str]) -> Transform:
    """Return the transformation that rewrites what the user said last and leaves every other turn as it is."""

    def transform(turns: Turns, rng: SeededRandom) -> Turns:
        *earlier, last = turns
        return (*earlier, replace(last, content=rewrite(last.content, rng)))

    return transform
