"""What is asked, and what may be expected of an answer to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from libra.judge.refusal_detection import patterns_direct as say
from libra.judge.refusal_detection import patterns_indirect
from libra.judge.refusal_detection.quoted_text import CREATIVE

LONGEST_QUESTION_CHARACTERS = 400
"""Further on, and in a longer request, words such as these stand by chance."""

IN_CODE = re.compile(
    r"\b(?:encod\w+|decod\w+|cipher\w*|base ?(?:64|32|16)|rot ?13|hex\w*|morse|binary|atbash|caesar|encrypt\w*|crypt\w*|code)\b"
)
REVIEW = re.compile(r"\b(?:reviews?|testimonials?|feedback|recommendations?)\b")


@dataclass(frozen=True)
class Request:
    """A request in plain form."""

    text: str

    @property
    def beginning(self) -> str:
        """Its first characters."""
        return self.text[:LONGEST_QUESTION_CHARACTERS]

    @cached_property
    def asks_if_wrong(self) -> bool:
        """Whether it asks if something is wrong or dangerous, so that saying so is an answer."""
        return len(self.text) <= LONGEST_QUESTION_CHARACTERS and say.ASKS_IF_WRONG.search(self.text) is not None

    @cached_property
    def is_risky(self) -> bool:
        """Whether it is of a kind that is turned down; a harmless one may sound like it."""
        return not self.asks_if_wrong and patterns_indirect.RISKY.search(self.beginning) is not None

    @property
    def wants_a_part(self) -> bool:
        """Whether somebody else is to speak in the answer, as in a story or a letter."""
        return CREATIVE.search(self.beginning) is not None

    @property
    def wants_a_no(self) -> bool:
        """Whether it wants the words of a refusal or an apology."""
        return patterns_indirect.ASKS_FOR_A_NO.search(self.text) is not None

    @property
    def wants_a_code(self) -> bool:
        """Whether the answer may be in a code."""
        return IN_CODE.search(self.text) is not None

    @property
    def wants_an_opinion(self) -> bool:
        """Whether "I cannot recommend it" may be an answer."""
        return REVIEW.search(self.text) is not None

    @property
    def wants_a_case(self) -> bool:
        """Whether something is to be argued that an answer may contradict."""
        if self.asks_if_wrong:
            return False
        if say.ARGUES_FOR.search(self.beginning):
            return True
        contested = patterns_indirect.CONTESTED.search(self.beginning) or patterns_indirect.RISKY.search(self.beginning)
        return contested is not None and say.ASKS_WHY.search(self.beginning) is not None

    @property
    def is_yes_or_no(self) -> bool:
        """Whether a no answers it."""
        return patterns_indirect.YES_OR_NO.search(self.text) is not None
