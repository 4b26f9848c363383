"""All attacks that a model writes in one go."""

from __future__ import annotations

from libra.attack.catalogue.model_written.deep_inception import DEEP_INCEPTION
from libra.attack.catalogue.model_written.effect_to_cause import EFFECT_TO_CAUSE
from libra.attack.catalogue.model_written.one_sided_statement import ONE_SIDED_STATEMENT
from libra.attack.catalogue.model_written.persona_modulation import PERSONA_MODULATION
from libra.attack.catalogue.model_written.persuasion import PERSUASION
from libra.attack.catalogue.model_written.tense_change import TENSE_CHANGE
from libra.attack.catalogue.model_written.translation import TRANSLATIONS

WRITTEN = (
    DEEP_INCEPTION,
    EFFECT_TO_CAUSE,
    ONE_SIDED_STATEMENT,
    PERSONA_MODULATION,
    PERSUASION,
    TENSE_CHANGE,
    *TRANSLATIONS,
)
