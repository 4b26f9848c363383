"""The registry of attacks: finds an attack by its name. A new attack or family is added here."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from libra.attack.catalogue.attack import Attack
from libra.attack.catalogue.characters.alphabets import ALPHABETS
from libra.attack.catalogue.characters.combining_marks import COMBINING_MARKS
from libra.attack.catalogue.characters.homoglyphs import HOMOGLYPHS
from libra.attack.catalogue.characters.invisible import INVISIBLE
from libra.attack.catalogue.composition import compose
from libra.attack.catalogue.encoding.byte_codes import BYTE_CODES
from libra.attack.catalogue.encoding.character_codes import CHARACTER_CODES
from libra.attack.catalogue.encoding.cipher_prompt import CIPHERING
from libra.attack.catalogue.encoding.ciphers import CIPHERS
from libra.attack.catalogue.encoding.signal_codes import SIGNAL_CODES
from libra.attack.catalogue.encoding.transpositions import TRANSPOSITIONS
from libra.attack.catalogue.framing.code_wrappers import CODE_WRAPPERS
from libra.attack.catalogue.framing.do_anything_now import DO_ANYTHING_NOW
from libra.attack.catalogue.framing.documents import DOCUMENTS
from libra.attack.catalogue.framing.few_shots import FEW_SHOTS
from libra.attack.catalogue.framing.injections import INJECTIONS
from libra.attack.catalogue.framing.many_shots import MANY_SHOTS
from libra.attack.catalogue.framing.masking import MASKING
from libra.attack.catalogue.framing.output_constraints import OUTPUT_CONSTRAINTS
from libra.attack.catalogue.framing.personas import PERSONAS
from libra.attack.catalogue.framing.pretexts import PRETEXTS
from libra.attack.catalogue.framing.prior_turns import PRIOR_TURNS
from libra.attack.catalogue.framing.refusal_suppression import REFUSAL_SUPPRESSION
from libra.attack.catalogue.model_written.deep_inception import DEEP_INCEPTION
from libra.attack.catalogue.model_written.effect_to_cause import EFFECT_TO_CAUSE
from libra.attack.catalogue.model_written.one_sided_statement import ONE_SIDED_STATEMENT
from libra.attack.catalogue.model_written.persona_modulation import PERSONA_MODULATION
from libra.attack.catalogue.model_written.persuasion import PERSUASION
from libra.attack.catalogue.model_written.tense_change import TENSE_CHANGE
from libra.attack.catalogue.model_written.translation import TRANSLATIONS
from libra.attack.catalogue.multi_turn.crescendo import CRESCENDOS
from libra.attack.catalogue.multi_turn.pair import PAIRS
from libra.attack.catalogue.multi_turn.tap import TAPS
from libra.attack.catalogue.noise.letter_noise import LETTER_NOISE
from libra.attack.catalogue.noise.word_noise import WORD_NOISE
from libra.attack.catalogue.none import NONE
from libra.core.attack_names import JOIN, MAX_STEPS
from libra.core.errors import unknown

# Attacks that ask no model. `*FAMILY` is the tuple of a family from its own file.
RULE_ATTACKS: tuple[Attack, ...] = (
    NONE,
    *(CIPHERING, *BYTE_CODES, *CHARACTER_CODES, *CIPHERS, *TRANSPOSITIONS, *SIGNAL_CODES),
    *(*ALPHABETS, *INVISIBLE, *COMBINING_MARKS, HOMOGLYPHS),
    *(*LETTER_NOISE, *WORD_NOISE),
    *(*DOCUMENTS, *CODE_WRAPPERS),
    *(DO_ANYTHING_NOW, *PERSONAS),
    *PRETEXTS,
    *(REFUSAL_SUPPRESSION, *OUTPUT_CONSTRAINTS),
    *INJECTIONS,
    *MASKING,
    *(FEW_SHOTS, MANY_SHOTS),
    *PRIOR_TURNS,
)

# Attacks that a model writes in one go; some have rules as a fallback.
MODEL_WRITTEN: tuple[Attack, ...] = (
    *(DEEP_INCEPTION, EFFECT_TO_CAUSE, ONE_SIDED_STATEMENT),
    *(PERSONA_MODULATION, PERSUASION, TENSE_CHANGE),
    *TRANSLATIONS,
)

MULTI_TURN: tuple[Attack, ...] = (*CRESCENDOS, *PAIRS, *TAPS)

ATTACKS = MappingProxyType({attack.name: attack for attack in (*RULE_ATTACKS, *MODEL_WRITTEN, *MULTI_TURN)})

FindAttack = Callable[[str], Attack | None]
"""Looks an attack up by name, as `find` does."""


def find(name: str) -> Attack | None:
    """Return the attack of that name, or the composition of several joined by "+"; None if there is none."""
    if JOIN not in name:
        return ATTACKS.get(name)
    names = name.split(JOIN)
    steps = [ATTACKS[step] for step in names if step in ATTACKS and step != NONE.name]
    if len(steps) != len(names) or len(steps) > MAX_STEPS or any(step.multi_turn for step in steps[:-1]):
        return None
    return compose(steps)


def explain_missing(name: str) -> str:
    """Return a sentence that says why `find` returned None for this name."""
    steps = name.split(JOIN)
    if len(steps) > MAX_STEPS:
        return f"{len(steps)} attacks are joined in {name!r:.80}; the limit is {MAX_STEPS}"
    early = next((step for step in steps[:-1] if step in ATTACKS and ATTACKS[step].multi_turn), None)
    if early is not None:
        return f"{early} is a multi-turn attack; it must be the last of the attacks that are joined in {name!r:.80}"
    unknown_step = next((step for step in steps if step not in ATTACKS), None)
    if unknown_step is None:
        return f"{NONE.name} is no attack; it cannot be joined with others, as in {name!r:.80}"
    return unknown("attack", unknown_step, sorted(ATTACKS))


def list_attacks() -> list[Attack]:
    """Return every single attack, in order of name."""
    return [ATTACKS[name] for name in sorted(ATTACKS)]
