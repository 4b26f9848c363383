"""The data of an attack, and the ways to apply its rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import IntEnum

from libra.attack.attack_session import AttackSession
from libra.attack.catalogue.codecs import identity
from libra.attack.conversation import MAX_ATTACKED_BYTES, Turn, Turns, check_conversation, check_size
from libra.attack.seeded_random import SeededRandom
from libra.core.errors import Invalid

EXAMPLE_PROMPT: Turns = (Turn("user", "How do magnets work?"),)
"""The harmless prompt of the catalogue's examples."""

Transform = Callable[[Turns, SeededRandom], Turns]
"""Takes a conversation whose last turn is a user's and returns another one; pure."""

RewriteWithModel = Callable[[Turns, SeededRandom, AttackSession], Awaitable[Turns]]
"""Does the same with models; raises UnusableReply, or Unavailable if the models cannot be reached now."""


class ModelUse(IntEnum):
    """Whether an attack asks a model to write for it; numbered as in the protos."""

    NEVER = 1
    """It asks no model."""

    OPTIONAL = 2
    """It asks a model if one is named, and otherwise follows its rules."""

    REQUIRED = 3
    """It needs a model."""


@dataclass(frozen=True, slots=True)
class Attack:
    """A named, versioned, seeded transformation of a conversation."""

    name: str
    """Lower-case letters, digits and "_"; "+" stands between the names of a composition."""

    version: str
    """Raised whenever the same conversation and seed would give another text."""

    description: str
    """A sentence that describes the attack."""

    source: str
    """The publication of the attack."""

    transform: Transform | None
    """Its rules; None for an attack that needs a model, and for a composition, whose steps have their own rules."""

    family: str = ""
    """The group of attacks to which it belongs, for instance "encoding"."""

    model_use: ModelUse = ModelUse.NEVER
    multi_turn: bool = False
    """Whether it asks the model under test several times before the answer that is judged."""

    rewrites_request: bool = False
    """Whether the attacked prompt may ask for something else than the prompt does. An answer to it is then a success
    only if it does what the prompt asked for, which a rule cannot tell. Encodings and framings keep the request."""

    decode: Callable[[str], str] | None = None
    """Reads the prompt from the attacked text; None unless the attack encodes the prompt."""

    expected_decoding: Callable[[str], str] = identity
    """The text that `decode` returns for a prompt: the prompt or, for instance, the prompt in capitals."""

    rewrite_with_model: RewriteWithModel | None = None
    """Writes the attack with a model; None if the attack asks no model."""

    static_example: Turns = ()
    """An earlier result for EXAMPLE_PROMPT, for an attack that needs a model."""

    steps: tuple[Attack, ...] = ()
    """The attacks of a composition, the first to be applied first; empty for a single attack."""

    def apply(self, turns: Turns, seed: int) -> Turns:
        """Return the conversation under attack, by the rules; raise Invalid if the attack cannot be applied to it.

        The random choices depend on the seed and the attack's name, so that two attacks on one sample choose
        independently. A step of a composition makes the same choices as the single attack, so that `a+b` is `b` applied
        to the result of `a`.
        """
        for step in self.steps or (self,):
            check_conversation(turns)
            turns = step.apply_rules(turns, seed)
        return turns

    def apply_rules(self, turns: Turns, seed: int) -> Turns:
        """Return the result of this single attack's rules on a valid conversation.

        Raises:
            Invalid: the attack has no rules, or their result is too large to be sent.
        """
        if self.transform is None:
            raise Invalid(f"the attack {self.name} needs a model that writes it", field="attack_model")
        attacked = self.transform(turns, SeededRandom(f"{self.name}/{seed}"))
        check_size(attacked, MAX_ATTACKED_BYTES)
        return attacked

    def example(self) -> Turns:
        """Return the attack on EXAMPLE_PROMPT."""
        return self.static_example if self.model_use is ModelUse.REQUIRED else self.apply(EXAMPLE_PROMPT, seed=0)


def rewrite_last_turn(rewrite: Callable[[str, SeededRandom], str]) -> Transform:
    """Return the transformation that rewrites the last turn, which is a user's, and keeps all others."""

    def transform(turns: Turns, rng: SeededRandom) -> Turns:
        *earlier, last = turns
        return (*earlier, replace(last, content=rewrite(last.content, rng)))

    return transform


def prompt_attack(
    name: str,
    rewrite: Callable[[str, SeededRandom], str],
    decode: Callable[[str], str] | None = None,
    expected_decoding: Callable[[str], str] = identity,
    *,
    source: str,
    description: str,
    family: str,
) -> Attack:
    """Return the attack, in version 1, whose rules rewrite the text of the last turn."""
    return Attack(
        name=name,
        version="1",
        description=description,
        source=source,
        transform=rewrite_last_turn(rewrite),
        family=family,
        decode=decode,
        expected_decoding=expected_decoding,
    )
