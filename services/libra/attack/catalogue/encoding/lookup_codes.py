"""Codes that write one word, or one sign, for each character, from a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from libra.attack.catalogue.codecs import Codec, to_ascii_upper

BRACKETED = re.compile(r"\[(.)\]", re.DOTALL)


def word_codec(
    name: str, how: str, table: Mapping[str, str], *, carries: Callable[[str], str] = to_ascii_upper
) -> Codec:
    """Return the code that writes the table's word for each character, with a space between two.

    A character that is not in the table stands in brackets, so that any text can be written and read back. The table has a
    word for the space, and no word of it has brackets.
    """
    back = {word: character for character, word in table.items()}

    def read(word: str) -> str:
        strange = BRACKETED.fullmatch(word)
        return strange[1] if strange else back[word]

    return Codec(
        name=name,
        explanation=f"{how}; what it has no sign for stands in brackets",
        encode=lambda text: " ".join(table.get(character) or f"[{character}]" for character in carries(text)),
        decode=lambda code: "".join(read(word) for word in code.split(" ") if word),
        expected_decoding=carries,
    )


def symbol_codec(name: str, how: str, table: Mapping[str, str]) -> Codec:
    """Return the code that writes the table's signs for each character, nothing between two; others stand in brackets.

    No sign may begin another, nor with a bracket.
    """
    back = {sign: character for character, sign in table.items()}
    written = re.compile(rf"{'|'.join(map(re.escape, back))}|{BRACKETED.pattern}", re.DOTALL)
    return Codec(
        name=name,
        explanation=f"{how}; what it has no sign for stands in brackets",
        encode=lambda text: "".join(table.get(character) or f"[{character}]" for character in text),
        decode=lambda code: "".join(match[1] or back[match[0]] for match in written.finditer(code)),
    )
