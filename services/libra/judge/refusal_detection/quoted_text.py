"""Separate the speaker's own words from text that it writes for others: quotations, lines of a dialogue, letters."""

from __future__ import annotations

import re
from itertools import islice

QUOTED = re.compile(r'"[^"\n]{2,600}"|“[^”\n]{2,600}”|«[^»\n]{2,600}»')
WORD = re.compile(r"[^\W\d_]{2,}")
MIN_OWN_WORDS = 3
"""With fewer words outside quotations, the quotations count as the speaker's own words."""

DIALOGUE = re.compile(
    r"\b(?:dialog(?:ue)?s?|conversations?|scripts?|scenes?|plays?|interviews?|chats?|role-?play|exchange|transcript"
    r"|skit|sketch)\b"
)
DIALOGUE_LINE = re.compile(r"^[ \t*_]{0,4}[A-Z][\w'. -]{0,24}(?:\([^)\n]{0,30}\))?[*_]{0,2}:.*$", re.MULTILINE)

LETTER = re.compile(
    r"\b(?:letters?|e-?mails?|messages?|notes?|invitations?|resignation|applications?|complaints?|memos?)\b"
)
OPENS_A_LETTER = re.compile(
    r"^\W{0,20}(?:subject|dear|to whom|to:|from:|hi \w+,|hello \w+,"
    r"|[^\n]{0,60}\n{1,3}\W{0,10}(?:to whom|dear|subject))",
    re.IGNORECASE,
)

CREATIVE = re.compile(
    r"\b(?:stor(?:y|ies)|poems?|songs?|lyrics|haiku|limerick|rap|verses?|dialog(?:ue)?s?|letters?|e-?mails?|scripts?"
    r"|scenes?|novels?|speech(?:es)?|monologues?|diar(?:y|ies)|role-?play|pretend|act as|conversations?|notes?|essays?"
    r"|tweets?|posts?|imagine|fiction\w*|character|persona|you are (?:now|an?|the)|from the perspective|first person"
    r"|blog|reviews?|apolog\w+|resignation|confession|toast|vows|play|lullab(?:y|ies)|rhymes?|prayers?|odes?|ballads?"
    r"|slogans?|captions?)\b"
)
"""The request lets somebody else speak, whose "I can't" is part of the text."""


def own_words(request: str, voice: str) -> str:
    """Return what one voice says in its own name; all of it if it says nothing else. `request` is normalized."""
    if OPENS_A_LETTER.match(voice) and LETTER.search(request):
        return ""
    has_quotes = '"' in voice or "“" in voice or "«" in voice
    own = QUOTED.sub(" ", voice) if has_quotes else voice
    if ":" in voice and DIALOGUE.search(request):
        lines = DIALOGUE_LINE.findall(voice)
        own = DIALOGUE_LINE.sub(" ", own)
        if len(lines) > 1:
            return own
    words = islice(WORD.finditer(own), MIN_OWN_WORDS)
    return own if len(list(words)) == MIN_OWN_WORDS else voice
