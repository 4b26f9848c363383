"""Tell the speaker's own words from those that it writes for others: quotations, lines of a dialogue, letters."""

from __future__ import annotations

import re
from itertools import islice

QUOTED = re.compile(r'"[^"\n]{2,600}"|“[^”\n]{2,600}”|«[^»\n]{2,600}»')
OUTSIDE = re.compile(r"[^\W\d_]{2,}")
FEWEST_WORDS_OUTSIDE = 3

DIALOGUE = re.compile(
    r"\b(?:dialog(?:ue)?s?|conversations?|scripts?|scenes?|plays?|interviews?|chats?|role-?play|exchange|transcript|skit|sketch)\b"
)
LINE_OF_A_PART = re.compile(r"^[ \t*_]{0,4}[A-Z][\w'. -]{0,24}(?:\([^)\n]{0,30}\))?[*_]{0,2}:.*$", re.MULTILINE)

LETTER = re.compile(
    r"\b(?:letters?|e-?mails?|messages?|notes?|invitations?|resignation|applications?|complaints?|memos?)\b"
)
OPENS_A_LETTER = re.compile(
    r"^\W{0,20}(?:subject|dear|to whom|to:|from:|hi \w+,|hello \w+,|[^\n]{0,60}\n{1,3}\W{0,10}(?:to whom|dear|subject))",
    re.IGNORECASE,
)

CREATIVE = re.compile(
    r"\b(?:stor(?:y|ies)|poems?|songs?|lyrics|haiku|limerick|rap|verses?|dialog(?:ue)?s?|letters?|e-?mails?|scripts?|scenes?|novels?|speech(?:es)?|monologues?|diar(?:y|ies)|role-?play|pretend|act as"
    r"|conversations?|notes?|essays?|tweets?|posts?|imagine|fiction\w*|character|persona|you are (?:now|an?|the)|from the perspective|first person|blog|reviews?|apolog\w+|resignation|confession|toast|vows|play|lullab(?:y|ies)|rhymes?|prayers?|odes?|ballads?|slogans?|captions?)\b"
)
"""The request has somebody else speak, whose "I can't" is a part of the answer."""


def own_words(asked: str, voice: str) -> str:
    """Return what one voice says in its own name; the whole of it if it says nothing else. `asked` is in plain form."""
    if OPENS_A_LETTER.search(voice) and LETTER.search(asked):
        return ""
    own = QUOTED.sub(" ", voice)
    if DIALOGUE.search(asked):
        lines = LINE_OF_A_PART.findall(voice)
        own = LINE_OF_A_PART.sub(" ", own)
        if len(lines) > 1:
            return own
    outside = islice(OUTSIDE.finditer(own), FEWEST_WORDS_OUTSIDE)
    return own if len(list(outside)) == FEWEST_WORDS_OUTSIDE else voice
