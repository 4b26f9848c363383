"""Ciphers that put one letter for another and leave everything else as it is."""

from __future__ import annotations

import string

from libra.attack.catalogue.citations import CIPHER_CHAT, GARAK, JAILBROKEN, PARSELTONGUE, PYRIT, cite
from libra.attack.catalogue.codecs import LETTERS, Codec, atbash_codec, caesar_codec, letter_table
from libra.attack.catalogue.encoding.factory import encoding_attack

ROT13 = 13
VISIBLE_ASCII = "".join(map(chr, range(ord("!"), ord("~") + 1)))
HALF = len(VISIBLE_ASCII) // 2
KEYWORDS = ("lantern", "orchard", "violet", "compass", "harbour", "meadow", "puzzle", "thimble")
KEY_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def substitution_codec(name: str, how: str, table: dict[int, int]) -> Codec:
    """Return the code that puts one character for another; the table's values are its keys in another order."""
    back = {value: key for key, value in table.items()}
    return Codec(name, how, lambda text: text.translate(table), lambda code: code.translate(back))


def vigenere_codec(keyword: str) -> Codec:
    """Return Vigenère's cipher: each letter moved on by as much as the keyword's next letter is beyond A.

    Only the letters A to Z use up letters of the keyword.
    """
    steps = [ord(letter) - ord("a") for letter in keyword]
    return Codec(
        name=f"vigenere-{keyword}",
        explanation=f'Vigenère\'s cipher with the keyword "{keyword}", of which only letters use up letters',
        encode=lambda text: shift_letters(text, steps),
        decode=lambda code: shift_letters(code, [-step for step in steps]),
    )


def shift_letters(text: str, steps: list[int]) -> str:
    """Return the text with each letter from A to Z moved on by the next of the steps, which come again and again."""
    written, used = [], 0
    for character in text:
        alphabet = next((one for one in (string.ascii_lowercase, string.ascii_uppercase) if character in one), "")
        if alphabet:
            place = alphabet.index(character) + steps[used % len(steps)]
            used += 1
        written.append(alphabet[place % LETTERS] if alphabet else character)
    return "".join(written)


def keyword_codec(keyword: str) -> Codec:
    """Return the cipher whose alphabet begins with the keyword's letters and goes on with those that are left."""
    alphabet = "".join(dict.fromkeys(keyword + string.ascii_lowercase))
    how = f"a substitution in which the alphabet, from A to Z, has become {alphabet.upper()}"
    return substitution_codec(f"keyword-{keyword}", how, letter_table(alphabet))


def keyboard_codec() -> Codec:
    """Return the code that writes the key to the right of each letter's on an English keyboard; the last writes the first."""
    table: dict[int, int] = {}
    for row in (*KEY_ROWS, *map(str.upper, KEY_ROWS)):
        table |= str.maketrans(row, row[1:] + row[0])
    how = "each letter is the one to its right on a QWERTY keyboard, with the first of a row after the last"
    return substitution_codec("keyboard_shift", how, table)


def rot47_codec() -> Codec:
    """Return the code that moves each visible ASCII character on by half of them; it is its own way back."""
    how = "ROT47, each visible ASCII character moved on by 47 places"
    return substitution_codec("rot47", how, str.maketrans(VISIBLE_ASCII, VISIBLE_ASCII[HALF:] + VISIBLE_ASCII[:HALF]))


CIPHERS = (
    encoding_attack(
        "rot13",
        [caesar_codec(ROT13)],
        source=f"{cite(JAILBROKEN, 'rot13')}; {cite(GARAK, 'probes.encoding.InjectROT13')}",
        what="with each letter moved on by 13 places",
    ),
    encoding_attack(
        "caesar",
        [caesar_codec(shift) for shift in range(1, LETTERS) if shift != ROT13],
        source=f"{cite(CIPHER_CHAT, 'Caesar')}; {cite(PYRIT, 'CaesarConverter')}",
        what="with each letter moved on by as many places as the seed says",
    ),
    encoding_attack(
        "atbash",
        [atbash_codec()],
        source=f"{cite(CIPHER_CHAT, 'Atbash')}; {cite(PYRIT, 'AtbashConverter')}",
        what="with the alphabet turned around",
    ),
    encoding_attack(
        "rot47",
        [rot47_codec()],
        source=cite(PARSELTONGUE, "ROT47"),
        what="with each ASCII character moved on by 47 places",
    ),
    encoding_attack(
        "vigenere",
        [vigenere_codec(keyword) for keyword in KEYWORDS],
        source=cite(PARSELTONGUE, "Vigenère Cipher"),
        what="in Vigenère's cipher, whose keyword is told,",
    ),
    encoding_attack(
        "substitution",
        [keyword_codec(keyword) for keyword in KEYWORDS],
        source=cite(CIPHER_CHAT, "substitution"),
        what="in a mixed alphabet, which is told,",
    ),
    encoding_attack(
        "keyboard_shift",
        [keyboard_codec()],
        source=cite(PARSELTONGUE, "QWERTY Right Shift"),
        what="with each letter as its right neighbour on the keyboard",
    ),
)
