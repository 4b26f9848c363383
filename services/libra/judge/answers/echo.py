"""Read yes or no from an answer that repeats the question as a statement."""

from __future__ import annotations

import re

from libra.judge.answers.wording import UNSPACED, compile_words, fold, load_words, phrases
from libra.judge.text.normalize import normalize

NOT = compile_words(phrases(load_words("polarity.yaml")["not_words"]))
SENTENCE = re.compile(r"[^.!?\n]+")
QUESTION = re.compile(r"[^.!?\n:]{1,300}[?؟]")
WORD = re.compile(rf"[^\W\d_]{{2,}}|[{UNSPACED}]{{2}}")
SUBJECT = (
    r"^\W*(?:i (?:believe|think|guess|suppose) )?(?:it|this|that|they|he|she|you|we|i|there)"
    r"(?: sure| certainly| really| definitely)?"
)
VERB = r"(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|may|must)"
SHORT_ECHO = re.compile(
    rf"{SUBJECT}(?:'s| {VERB})(?P<no> ?not|n't)?(?: indeed| certainly| definitely)?\W*$"
    rf"|{SUBJECT} (?:ca|wo|{VERB})(?P<nt>n't)\W*$"
)
SMALL = frozenset(load_words("polarity.yaml")["small_words"].split())
NEGATIVE_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non", "non-", "не", "nie", "不")

UNSURE = compile_words(phrases(load_words("polarity.yaml")["unsure_words"]))
MAX_DENIAL_WORDS, MAX_DENIAL_CHARACTERS = 4, 32
"""A denial that is no sentence, as in "ganz und gar nicht", is at most this long."""

MAX_SENTENCES = 40


def echoed_polarity(text: str, question: str) -> str:
    """Return "yes" or "no" for a statement about what the question asks; empty if there is none.

    The last sentence that shares a word with the question counts. Text is without case.
    """
    asked = QUESTION.findall(fold(normalize(question)))
    wanted = content_words(asked[-1]) if asked else frozenset()
    for sentence in reversed(SENTENCE.findall(text)[-MAX_SENTENCES:]):
        if found := SHORT_ECHO.match(sentence):
            return "no" if found["no"] or found["nt"] else "yes"
        words = content_words(sentence)
        opposite = any(f"{prefix}{word}" in words for word in wanted for prefix in NEGATIVE_PREFIXES)
        if opposite or words & wanted:
            is_negated = NOT.search(sentence) is not None
            return "no" if is_negated != opposite else "yes"
    return "no" if wanted and _is_short_denial(text) else ""


def _is_short_denial(text: str) -> bool:
    """Tell whether a text is a short denial and no statement of ignorance."""
    if len(text) > MAX_DENIAL_CHARACTERS or len(text.split()) > MAX_DENIAL_WORDS:
        return False
    return NOT.search(text) is not None and UNSURE.search(text) is None


def content_words(text: str) -> frozenset[str]:
    """Return the words of a text without case that carry its meaning."""
    return frozenset(WORD.findall(text)) - SMALL
