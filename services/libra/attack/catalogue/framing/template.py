"""Attacks as data: a template with slots around the prompt."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from libra.attack.catalogue.attack import Attack, prompt_attack
from libra.attack.catalogue.codecs import identity
from libra.attack.seeded_random import SeededRandom

SLOT = re.compile(r"\{([a-z]+)\}")
PROMPT = "{prompt}"


@dataclass(frozen=True, slots=True)
class Template:
    """One wording with slots that the seed fills."""

    name: str
    text: str
    """Contains {prompt} and the other slots in braces; a slot that occurs twice gets the same text."""

    source: str
    description: str
    slots: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The choices for each slot; a choice may itself contain {prompt}."""

    escape: Callable[[str], str] = identity
    """Escapes the prompt for its place, for instance as a string of a program."""

    def fill(self, prompt: str, rng: SeededRandom) -> str:
        """Return the text with all slots filled."""
        filling = {name: rng.choice(choices) for name, choices in self.slots.items()}
        text = SLOT.sub(lambda slot: filling.get(slot[1], PROMPT), self.text)
        return text.replace(PROMPT, self.escape(prompt))


def template_attacks(family: str, templates: Sequence[Template]) -> tuple[Attack, ...]:
    """Return one attack of this family for each template."""
    return tuple(
        prompt_attack(
            template.name, template.fill, description=template.description, source=template.source, family=family
        )
        for template in templates
    )
