"""Codecs that look up a word or a symbol for each character in a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from libra.attack.catalogue.codecs import Codec, to_ascii_upper

BRACKETED = re.compile(r"\[(.)\]", re.DOTALL)


def word_codec(
    name: str,
    explanation: str,
    table: Mapping[str, str],
    *,
    expected_decoding: Callable[[str], str] = to_ascii_upper,
) -> Codec:
    """Return the codec that writes the table's word for each character, separated by spaces.

    A character that is not in the table is written in brackets, so that any text can be encoded and decoded. The table
    must have a word for the space, and no word with brackets.
    """
    inverse = {word: character for character, word in table.items()}

    def decode_word(word: str) -> str:
        bracketed = BRACKETED.fullmatch(word)
        return bracketed[1] if bracketed else inverse[word]

    return Codec(
        name=name,
        explanation=f"{explanation}; what it has no sign for stands in brackets",
        encode=lambda text: " ".join(table.get(character) or f"[{character}]" for character in expected_decoding(text)),
        decode=lambda code: "".join(decode_word(word) for word in code.split(" ") if word),
        expected_decoding=expected_decoding,
    )


def symbol_codec(name: str, explanation: str, table: Mapping[str, str]) -> Codec:
    """Return the codec that writes the table's symbol for each character without separators, and others in brackets.

    No symbol may be a prefix of another one or begin with a bracket.
    """
    inverse = {symbol: character for character, symbol in table.items()}
    pattern = re.compile(rf"{'|'.join(map(re.escape, inverse))}|{BRACKETED.pattern}", re.DOTALL)
    return Codec(
        name=name,
        explanation=f"{explanation}; what it has no sign for stands in brackets",
        encode=lambda text: "".join(table.get(character) or f"[{character}]" for character in text),
        decode=lambda code: "".join(match[1] or inverse[match[0]] for match in pattern.finditer(code)),
    )
