"""Sets of characters find the same as a look at every character."""

from __future__ import annotations

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from libra.judge.text.normalize import ACCENTS, MAX_COMBINING_CODE, CharacterTable

TABLE = {ord("é"): "e", 0xE0041: "A", 0x200B: None, ord("]"): ")", ord("^"): None, ord("-"): "_"}
TEXTS = st.text(st.one_of(st.sampled_from([chr(code) for code in TABLE]), st.characters()), max_size=6)


@given(text=TEXTS)
def test_a_table_translates_as_str_translate_does(text: str) -> None:
    assert CharacterTable(TABLE).translate(text) == text.translate(TABLE)


@given(text=st.text(st.one_of(st.sampled_from("e\u0301\u0327\U00010a0d\U0001e944"), st.characters()), max_size=6))
def test_combining_characters_are_removed(text: str) -> None:
    assert ACCENTS.remove_from(text) == "".join(one for one in text if not unicodedata.combining(one))


def test_no_character_of_a_higher_code_combines() -> None:
    assert not any(unicodedata.combining(chr(code)) for code in range(MAX_COMBINING_CODE, sys.maxunicode + 1))
