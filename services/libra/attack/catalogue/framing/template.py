"""Text around a prompt, as data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from libra.attack.catalogue.attack import Attack, rewrite_last_turn
from libra.attack.catalogue.codecs import identity
from libra.attack.seeded_random import SeededRandom

SLOT = re.compile(r"\{([a-z]+)\}")
PROMPT = "{prompt}"


@dataclass(frozen=True, slots=True)
class Template:
    """One wording, with what the seed may choose in it."""

    name: str
    text: str
    """Holds {prompt}, and each other slot, in braces; a slot that occurs twice is filled alike."""

    source: str
    description: str
    slots: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What a slot can be filled with; where the wording around the prompt is chosen, that may hold {prompt}."""

    escape: Callable[[str], str] = identity
    """How the prompt is written there, for instance as a string of a program."""

    def fill(self, prompt: str, rng: SeededRandom) -> str:
        """Return the text with everything in its slot."""
        filling = {name: rng.choice(choices) for name, choices in self.slots.items()}
        text = SLOT.sub(lambda slot: filling.get(slot[1], PROMPT), self.text)
        return text.replace(PROMPT, self.escape(prompt))


def template_attacks(family: str, templates: Sequence[Template]) -> tuple[Attack, ...]:
    """Return an attack of this family for each template."""
    return tuple(
        Attack(
            name=template.name,
            version="1",
            description=template.description,
            source=template.source,
            transform=rewrite_last_turn(template.fill),
            family=family,
        )
        for template in templates
    )
