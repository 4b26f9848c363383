"""All attacks of several turns."""

from __future__ import annotations

from libra.attack.catalogue.multi_turn.crescendo import CRESCENDO
from libra.attack.catalogue.multi_turn.pair import PAIR
from libra.attack.catalogue.multi_turn.tap import TAP

DIALOGUES = (CRESCENDO, PAIR, TAP)
