"""All attacks of several turns."""

from __future__ import annotations

from libra.attack.catalogue.dialogues.crescendo import CRESCENDO
from libra.attack.catalogue.dialogues.pair import PAIR
from libra.attack.catalogue.dialogues.tap import TAP

DIALOGUES = (CRESCENDO, PAIR, TAP)
