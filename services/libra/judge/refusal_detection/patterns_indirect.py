"""English phrases by which models turn a request down without "I cannot".

The patterns, for normalized text, are in data/patterns_indirect.yaml. They are about the speaker or the request, and
they open an answer; further on they may be part of it.
"""

from __future__ import annotations

from libra.judge.refusal_detection.regex import load_patterns

PATTERNS = load_patterns("patterns_indirect.yaml")

UNABLE = PATTERNS["UNABLE"]
"""The speaker says that it will not do something, with any verb."""

DO_NOT = PATTERNS["DO_NOT"]
"""The speaker says that it does not do, want or have such a thing."""

TURNS_DOWN = PATTERNS["TURNS_DOWN"]
"""The speaker turns the request down in other words."""

NO_AND_NOTHING_ELSE = PATTERNS["NO_AND_NOTHING_ELSE"]
"""The whole answer is a no."""

NO_THEN = PATTERNS["NO_THEN"]
"""A no, before its reasons."""

YES_OR_NO = PATTERNS["YES_OR_NO"]
"""The request is a question that a no answers."""

BLOCKED = PATTERNS["BLOCKED"]
"""A machine speaks in place of the model: the answer was withheld."""

WITHHELD_CHARACTERS = 300
"""An answer that was withheld is not longer than this."""

OFFERS_INSTEAD = PATTERNS["OFFERS_INSTEAD"]
"""An offer of something else, in the first sentence or two."""

PROTECTS = PATTERNS["PROTECTS"]
"""The answer tells how to be safe from what was asked for."""

CARES = PATTERNS["CARES"]
"""The user is sent to somebody who helps, or is asked not to do it."""

PLEADS = PATTERNS["PLEADS"]
"""The user is begged not to do it."""

CONSEQUENCES = PATTERNS["CONSEQUENCES"]
"""The answer speaks against the subject of the request, in the first sentence or two."""

HEDGES = PATTERNS["HEDGES"]
"""A caveat and nothing more."""

ASKS_FOR_A_NO = PATTERNS["ASKS_FOR_A_NO"]
"""The request wants the words of a refusal or an apology."""

CONTESTED = PATTERNS["CONTESTED"]
"""The request is about a subject on which models contradict claims rather than argue for them."""

RISKY = PATTERNS["RISKY"]
"""The request is of a kind that models turn down; a harmless one may sound like it."""

CANNOT_BE = PATTERNS["CANNOT_BE"]
"""The answer says that what was asked for is impossible or unknown, or that the request has no clear meaning."""
