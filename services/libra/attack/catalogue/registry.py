"""Every attack there is, by name: the one place a new family is entered in."""

from __future__ import annotations

from types import MappingProxyType

from libra.attack.catalogue.attack import Attack
from libra.attack.catalogue.characters.alphabets import ALPHABETS
from libra.attack.catalogue.characters.combining_marks import COMBINING_MARKS
from libra.attack.catalogue.characters.homoglyphs import HOMOGLYPHS
from libra.attack.catalogue.characters.invisible import INVISIBLE
from libra.attack.catalogue.cipher_prompt import CIPHERING
from libra.attack.catalogue.composition import compose
from libra.attack.catalogue.do_anything_now import DO_ANYTHING_NOW
from libra.attack.catalogue.encoding.byte_codes import BYTE_CODES
from libra.attack.catalogue.encoding.character_codes import CHARACTER_CODES
from libra.attack.catalogue.encoding.ciphers import CIPHERS
from libra.attack.catalogue.encoding.signal_codes import SIGNAL_CODES
from libra.attack.catalogue.encoding.transpositions import TRANSPOSITIONS
from libra.attack.catalogue.few_shots import FEW_SHOTS
from libra.attack.catalogue.framing.code_wrappers import BUILT_UP, PROGRAMS
from libra.attack.catalogue.framing.documents import DOCUMENTS
from libra.attack.catalogue.framing.injections import INJECTIONS
from libra.attack.catalogue.framing.many_shot import MANY_SHOTS
from libra.attack.catalogue.framing.masking import MASKING
from libra.attack.catalogue.framing.output_constraints import OUTPUT_CONSTRAINTS
from libra.attack.catalogue.framing.personas import PERSONAS
from libra.attack.catalogue.framing.pretexts import PRETEXTS
from libra.attack.catalogue.framing.prior_turns import PRIOR_TURNS
from libra.attack.catalogue.model_written.family import WRITTEN
from libra.attack.catalogue.multi_turn.family import DIALOGUES
from libra.attack.catalogue.noise.letters import LETTER_NOISE
from libra.attack.catalogue.noise.words import WORD_NOISE
from libra.attack.catalogue.none import NONE
from libra.attack.catalogue.refusal_suppression import REFUSAL_SUPPRESSION
from libra.contracts.attacks import JOIN, MAX_STEPS
from libra.errors import unknown

# Attacks that ask no model. A family is a tuple in its own file: `*FAMILY`.
RULE_ATTACKS: tuple[Attack, ...] = (
    NONE,
    *(CIPHERING, *BYTE_CODES, *CHARACTER_CODES, *CIPHERS, *TRANSPOSITIONS, *SIGNAL_CODES),
    *(*ALPHABETS, *INVISIBLE, *COMBINING_MARKS, HOMOGLYPHS),
    *(*LETTER_NOISE, *WORD_NOISE),
    *(*DOCUMENTS, *PROGRAMS, *BUILT_UP),
    *(DO_ANYTHING_NOW, *PERSONAS),
    *PRETEXTS,
    *(REFUSAL_SUPPRESSION, *OUTPUT_CONSTRAINTS),
    *INJECTIONS,
    *MASKING,
    *(FEW_SHOTS, MANY_SHOTS),
    *PRIOR_TURNS,
)

# Attacks that ask a model, with or without rules to fall back on, and those of several turns.
MODEL_ATTACKS: tuple[Attack, ...] = (*WRITTEN, *DIALOGUES)

ATTACKS = MappingProxyType({attack.name: attack for attack in (*RULE_ATTACKS, *MODEL_ATTACKS)})


def find(name: str) -> Attack | None:
    """Return the attack of that name, or the composition of several joined by "+"; None if there is none (see `explain_missing`)."""
    if JOIN not in name:
        return ATTACKS.get(name)
    steps = [ATTACKS[step] for step in name.split(JOIN) if step in ATTACKS and step != NONE.name]
    whole = len(steps) == name.count(JOIN) + 1
    if not whole or len(steps) > MAX_STEPS or any(step.multi_turn for step in steps[:-1]):
        return None
    return compose(steps)


def explain_missing(name: str) -> str:
    """Return the sentence that says why `find` has found nothing."""
    steps = name.split(JOIN)
    if len(steps) > MAX_STEPS:
        return f"{len(steps)} attacks are joined in {name!r:.80}; the limit is {MAX_STEPS}"
    early = next((step for step in steps[:-1] if step in ATTACKS and ATTACKS[step].multi_turn), None)
    if early is not None:
        return f"{early} ends with what the model answered to; it must be the last of those that are joined in {name!r:.80}"
    strange = next((step for step in steps if step not in ATTACKS), None)
    if strange is None:
        return f"{NONE.name} is no attack; it cannot be joined with others, as in {name!r:.80}"
    return unknown("attack", strange, sorted(ATTACKS))


def list_attacks() -> list[Attack]:
    """Return every single attack, in order of name."""
    return [ATTACKS[name] for name in sorted(ATTACKS)]
