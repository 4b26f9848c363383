"""An encoded prompt can be decoded: to the same text, or to what the code preserves of it."""

from __future__ import annotations

import binascii
import html
import quopri
import re
import string
import unicodedata
from collections.abc import Callable
from email.header import decode_header, make_header
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from libra.attack.catalogue import registry
from libra.attack.catalogue.attack import Attack
from libra.attack.catalogue.encoding import ciphers, signal_codes, transpositions
from libra.attack.catalogue.encoding.byte_codes import BYTE_CODES
from libra.attack.catalogue.encoding.factory import decoding_instructions
from libra.attack.conversation import Turn

DECODED = {attack.name: attack for attack in registry.RULE_ATTACKS if attack.decode}
LOSSES: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(
        ["morse", "nato", "a1z26", "polybius", "bacon", "bijection", "squared", "regional_indicators"], str.upper
    ),
    "tap_code": lambda text: text.upper().replace("K", "C"),
}
"""Changes to plain ASCII text by codes without small letters; all other codes preserve it."""

SEEDS = st.integers(-(2**63), 2**63 - 1)
PLAIN = "Fix my bicycle, please -- before 9 o'clock [tomorrow]; it's a ~90 km/h racer (red & blue) & \"quick\"!\n\n#1?"


def attack_text(attack: Attack, text: str, seed: int = 0) -> str:
    return attack.apply((Turn("user", text),), seed)[-1].content


def decode(attack: Attack, attacked: str) -> str:
    assert attack.decode
    return attack.decode(attacked)


def body(name: str, text: str) -> str:
    """Return the encoded text after the instructions."""
    return attack_text(DECODED[name], text).split("\n\n", 1)[1]


def own_characters(attack: Attack) -> str:
    """Return the characters that an attack writes; a prompt with them is the most likely to be decoded wrongly."""
    return "".join(sorted(set(attack_text(attack, PLAIN) + attack_text(attack, string.printable, 1))))


def test_every_encoding_can_be_decoded() -> None:
    expected = {attack.name for attack in registry.RULE_ATTACKS if attack.family in ("encoding", "characters")}
    assert set(DECODED) == expected
    assert len(DECODED) >= 60


@pytest.mark.parametrize("name", sorted(DECODED))
@settings(max_examples=60, deadline=None)
@example(data=None, seed=0)
@given(data=st.data(), seed=SEEDS)
def test_an_encoded_prompt_decodes_to_what_the_code_preserves(name: str, data: st.DataObject | None, seed: int) -> None:
    attack = DECODED[name]
    texts = st.text(st.sampled_from(own_characters(attack)) | st.characters(exclude_categories=["Cs"]), max_size=60)
    for text in (
        [data.draw(texts)]
        if data
        else ("", " ", "\n", "\n\n", "好😀 ", "\x00\x01\x1b\x7f\x85\u2028\ufeff", "ſKıß", PLAIN * 50)
    ):
        assert decode(attack, attack_text(attack, text, seed)) == attack.expected_decoding(text)


@pytest.mark.parametrize("name", sorted(DECODED))
def test_ascii_text_is_preserved_or_comes_back_in_capitals(name: str) -> None:
    attack = DECODED[name]
    for seed in range(12):
        assert decode(attack, attack_text(attack, PLAIN, seed)) == LOSSES.get(name, str)(PLAIN)


@pytest.mark.parametrize("name", sorted(set(DECODED) - set(LOSSES)))
def test_a_code_with_all_letters_preserves_chinese_and_emoji(name: str) -> None:
    text = "磁铁是如何工作的, 😀 Ünïcödé, ж"
    assert decode(DECODED[name], attack_text(DECODED[name], text)) == text


# Decoded by independent implementations.


@pytest.mark.parametrize(
    ("name", "decoder"),
    [
        ("hex", lambda code: bytes.fromhex(code).decode()),
        ("base16", lambda code: bytes.fromhex(code).decode()),
        ("quoted_printable", lambda code: quopri.decodestring(code.encode()).decode()),
        ("url", unquote),
        ("html_entities", html.unescape),
        ("unicode_escapes", lambda code: code.encode("ascii").decode("unicode_escape")),
        ("mime", lambda code: str(make_header(decode_header(code.replace("\n", "\n "))))),
        ("ascii_codes", lambda code: "".join(chr(int(number)) for number in code.split())),
        ("binary", lambda code: bytes(int(bits, 2) for bits in code.split()).decode()),
    ],
)
def test_a_code_agrees_with_an_independent_decoder(name: str, decoder: Callable[[str], str]) -> None:
    text = 'How do magnets work? 磁铁 😀, in "twelve" lines; <please>'
    assert decoder(body(name, text)) == text


def test_known_values() -> None:
    assert body("base32", "foobar") == "MZXW6YTBOI======"  # RFC 4648, section 10
    assert body("base45", "Hello!!") == "%69 VD92EX0"  # RFC 9285, section 4.3
    assert body("base45", "base-45") == "UJCLQE7W581"
    assert body("ascii85", "Man ") == "<~9jqo^~>"
    assert body("uu", "Cat") == "begin 644 message\n#0V%T\n`\nend\n"
    assert binascii.a2b_uu(b"#0V%T") == b"Cat"
    assert body("rot13", "Why did the chicken?") == "Jul qvq gur puvpxra?"
    assert body("rot47", "Hello") == "w6==@"
    assert body("morse", "SOS 73") == "... --- ... / --... ...--"
    assert body("nato", "Hi 5") == "Hotel India Space Five"
    assert body("braille", "Hi 5") == "⠠⠓⠊⠀⠼⠑"
    assert body("bacon", "az") == "aaaaa bbaab"
    assert body("tap_code", "Water") == ".....,.. .,. ....,.... .,..... ....,.."
    assert body("flip_in_words", "how are you") == "woh era uoy"
    assert body("flip_words", "how are you") == "you are how"
    assert body("ubbi_dubbi", "Speak") == "Spubeubak"
    assert body("rovarspraket", "Stubborn") == "Sostotubobboborornon"
    assert ciphers.vigenere_codec("lemon").encode("attackatdawn") == "lxfopvefrnhr"
    assert ciphers.vigenere_codec("lemon").encode("Attack, at dawn!") == "Lxfopv, ef rnhr!"


def test_the_rail_fence_is_read_rail_by_rail() -> None:
    assert transpositions.rail_fence_codec(3).encode("WEAREDISCOVEREDFLEEATONCE") == "WECRLTEERDSOEEFEAOCAIVDEN"


def test_no_braille_symbol_is_a_prefix_of_another() -> None:
    symbols = signal_codes.braille_table().values()
    assert len(set(symbols)) == len(symbols)
    assert not any(symbol != other and other.startswith(symbol) for symbol in symbols for other in symbols)


def test_the_words_of_a_code_are_distinct() -> None:
    for table in (signal_codes.MORSE_TABLE, signal_codes.NATO_TABLE):
        assert len(set(table.values())) == len(table)
        assert not any(re.search(r"[\[\] ]", word) for word in table.values())


@pytest.mark.parametrize("name", ["fullwidth", "mathematical", "circled", "squared", "superscript"])
def test_a_styled_letter_normalizes_to_the_plain_one(name: str) -> None:
    letters = string.ascii_letters + string.digits
    for seed in range(20):
        normal = unicodedata.normalize("NFKC", attack_text(DECODED[name], letters, seed))
        assert normal.casefold() == letters.casefold() or name == "squared"  # the black squares have no normalized form


@pytest.mark.parametrize("name", ["zero_width", "tag_characters", "sneaky_bits"])
def test_invisible_characters_are_format_characters(name: str) -> None:
    attacked = attack_text(DECODED[name], "magnets")
    invisible = {"zero_width": 7, "tag_characters": 7, "sneaky_bits": 56}
    assert sum(unicodedata.category(character) == "Cf" for character in attacked) == invisible[name]
    assert ("magnets" in "".join(c for c in attacked if unicodedata.category(c) != "Cf")) is (name == "zero_width")


def test_homoglyphs_mix_latin_and_cyrillic_letters() -> None:
    attacked = attack_text(DECODED["homoglyphs"], "a copy of the book" * 20)
    scripts = {unicodedata.name(letter).split()[0] for letter in attacked if letter.isalpha()}
    assert scripts == {"LATIN", "CYRILLIC"}


def test_the_stated_key_is_the_key_that_was_used() -> None:
    for attack in BYTE_CODES:
        assert attack.example()[-1].content.startswith("The message below is written in a code: ")
    shifts = {attack_text(DECODED["caesar"], "xyz", seed).split("moved on by ")[1][:2] for seed in range(200)}
    assert len(shifts) == 24  # of 25 shifts, 13 is rot13's
    for number in range(3):
        codec = signal_codes.bijection_codec(number)
        assert all(
            f"{letter} is {codec.encode(letter)}" in decoding_instructions(codec) for letter in string.ascii_uppercase
        )
