"""Tell whether text is in a language, and whether that is English, by the small words that no sentence does without."""

from __future__ import annotations

import re

CHARACTERS_A_WORD = 10
"""More than words and the space between them have on average: enough text to look for so many words in."""

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def vocabulary(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


ENGLISH = vocabulary(
    """
    a about after all also am an and any are as at be because been before but by can can't cannot could did do does
    don't for from had has have he her here him his how i i'm if in into is it it's its just like may me more most
    my no not now of on one or other our out over she should so some such than that the their them then there these
    they this to too up us very was we were what when where which while who why will with would you your
    """
)

OTHERS = vocabulary(
    """
    el la los las un una de del que y en por para con no es se lo como más pero su al le les des et est dans pour
    sur avec ne pas je vous il elle au aux ce une qui der die das und ist nicht ein eine zu den mit von auf für sich
    dem ich sie auch als het een van dat niet ik zijn op te voor met gli di che non per sono è della da um uma o os
    as do em não com i w z na się nie to jest że jak och att det är som på av för inte jag men a v že ve bir bu için
    ile yang dan tidak untuk dengan ini itu saya và là của không có một cho được ni ya wa kwa za ang ng sa mga si și
    nu cu pe în az egy nem és hogy on ei ja että
    """
)

SMALL = ENGLISH | OTHERS

LATIN = frozenset("abcdefghijklmnopqrstuvwxyz")
VOWELS = frozenset("aeiouy")

SHORT_WORDS = 6
CODE = re.compile(r"```|\bdef |\bimport |\breturn\b|#include|[{};]\s*$|</\w+>", re.MULTILINE)


def words(text: str, limit: int = 80) -> list[str]:
    """Return the first words of the text, at most so many, without case."""
    head = text[: limit * CHARACTERS_A_WORD].casefold().replace("’", "'")
    return WORD.findall(head)[:limit]


def english_share(some: list[str]) -> float:
    """Return which part of the words are small English ones; running English has 0.3 and more."""
    return sum(map(ENGLISH.__contains__, some)) / len(some) if some else 0.0


def is_english(text: str) -> bool:
    """Tell whether text of some length is in English."""
    return english_share(words(text)) >= 0.2  # noqa: PLR2004 - half of what running text has


def is_natural(text: str) -> bool:
    """Tell whether the text is in a language, as far as that can be seen; text too short to tell, and code, pass for it."""
    some = words(text)
    small = sum(map(SMALL.__contains__, some))
    if len(some) < SHORT_WORDS or small >= max(2, len(some) * 0.12):
        return True
    # Letters outside ASCII come from no simple cipher.
    return CODE.search(text) is not None or 2 * sum(word.isascii() for word in some) < len(some)


def is_pronounceable(text: str) -> bool:
    """Tell whether vowels come about as often as in speech: so they do in a list of names, and hardly in a cipher."""
    letters = [letter for letter in text.casefold() if letter in LATIN]
    vowels = sum(letter in VOWELS for letter in letters)
    return 0.28 * len(letters) <= vowels <= 0.55 * len(letters)
