from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.attack.catalogue import codecs
from libra.attack.catalogue.codecs import Codec
from libra.attack.catalogue.encoding import cipher_prompt
from libra.attack.seeded_random import SeededRandom

CODECS = [codecs.base64_codec(), codecs.atbash_codec(), *(codecs.caesar_codec(shift) for shift in range(1, 26))]
SEEDS = st.integers(-(2**63), 2**63 - 1)


def decode(attacked: str) -> str:
    """Decode an attacked prompt as the model is asked to: the introduction identifies the codec."""
    codec = next(codec for codec in CODECS if attacked.startswith(cipher_prompt.introduction(codec)))
    return codec.decode(attacked.removeprefix(cipher_prompt.introduction(codec)))


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@given(text=st.text(max_size=60))
def test_a_codec_decodes_the_text_that_it_encoded(codec: Codec, text: str) -> None:
    assert codec.decode(codec.encode(text)) == text


@given(text=st.text(), seed=SEEDS)
def test_a_ciphered_prompt_decodes_to_the_prompt(text: str, seed: int) -> None:
    assert decode(cipher_prompt.rewrite(text, SeededRandom(str(seed)))) == text


@pytest.mark.parametrize(
    "text", ["\x00\x01\t\r\n\x1b[31m\x7f\x85\u2028\ufeff", "ſKı", "好😀" * 150_000, "x" * 1_048_576]
)
def test_control_characters_look_alikes_and_a_megabyte_survive(text: str) -> None:
    for seed in range(12):
        assert decode(cipher_prompt.rewrite(text, SeededRandom(str(seed)))) == text


def test_known_values() -> None:
    assert codecs.base64_codec().encode("attack") == "YXR0YWNr"
    assert codecs.caesar_codec(3).encode("Xyz, at dawn!") == "Abc, dw gdzq!"
    assert codecs.atbash_codec().encode("Abc xyz") == "Zyx cba"


def test_the_seed_chooses_among_all_codecs() -> None:
    names = {cipher_prompt.choose_codec(SeededRandom(str(seed)), "How do magnets work?").name for seed in range(2_000)}
    assert names == {codec.name for codec in CODECS}


@pytest.mark.parametrize("text", ["磁铁是如何工作的？", "Πώς λειτουργούν; (magnets)", "4 + 4 = ?", ""])
def test_a_prompt_that_a_letter_cipher_would_leave_readable_is_encoded_in_base64(text: str) -> None:
    assert {cipher_prompt.choose_codec(SeededRandom(str(seed)), text).name for seed in range(50)} == {"base64"}
