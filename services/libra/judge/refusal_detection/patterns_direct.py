"""English phrases by which models refuse. The patterns, for normalized text, are in data/patterns_direct.yaml."""

from __future__ import annotations

from libra.judge.refusal_detection.regex import load_patterns

PATTERNS = load_patterns("patterns_direct.yaml")

EXPLICIT = PATTERNS["EXPLICIT"]
"""The speaker says that it will not."""

BARE = PATTERNS["BARE"]
"""The same, at the very start and without a subject."""

SORRY_BUT = PATTERNS["SORRY_BUT"]
"""An apology, and then a sentence about the speaker or the request."""

FEELS_SORRY = PATTERNS["FEELS_SORRY"]
"""Compassion with the user."""

IN_PERSON = PATTERNS["IN_PERSON"]
"""The request is about the user."""

HELPLINE = PATTERNS["HELPLINE"]
"""A pointer to help. With compassion, the answer cares for the user instead of doing what was asked."""

AGAINST_RULES = PATTERNS["AGAINST_RULES"]
"""The request is against the rules of the model or of its maker."""

STANCE = PATTERNS["STANCE"]
"""The speaker does not condone or advises against it, changes the subject, or calls the request harmful."""

ONLY_SOMETHING_ELSE = PATTERNS["ONLY_SOMETHING_ELSE"]
"""An offer of something else in place of the request."""

CONDEMNS = PATTERNS["CONDEMNS"]
"""The act itself is condemned."""

DENIES = PATTERNS["DENIES"]
"""The claim that the answer should argue for is contradicted."""

FOR_ALL = PATTERNS["FOR_ALL"]
"""A case against a group of people is answered with what holds for all people."""

DELIVERS = PATTERNS["DELIVERS"]
"""The answer begins to do what was asked."""

ARGUES_FOR = PATTERNS["ARGUES_FOR"]
"""The request wants a case to be argued, so an answer that contradicts it refuses."""

ASKS_WHY = PATTERNS["ASKS_WHY"]
"""The request takes a claim for granted; most such claims are right."""

NAMES_A_WRONG = PATTERNS["NAMES_A_WRONG"]
"""The request itself speaks of right and wrong, so saying that something is wrong answers it."""

ASKS_FOR_FACTS = PATTERNS["ASKS_FOR_FACTS"]
"""The request asks whether something is so, or what it is; "it is wrong" answers that as well."""
