from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.gateway.provider.keys.api_key import MASK, NoKey, scrub
from libra.gateway.provider.keys.model_keys import ModelKeys
from libra.v1.model_pb2 import Model

MODEL = Model(name="m", api_key_env="M_API_KEY")


def test_a_key_is_read_when_it_is_needed() -> None:
    environment = {"M_API_KEY": " first\n"}
    assert ModelKeys(environment).find(MODEL).key == "first"
    environment["M_API_KEY"] = "second"
    assert ModelKeys(environment).find(MODEL).key == "second"


def test_a_model_without_api_key_env_needs_no_key() -> None:
    assert ModelKeys({"M_API_KEY": "k"}).find(Model(name="m")).key == ""


@pytest.mark.parametrize("value", [None, "", "  ", "two\nlines", "schlüssel", "a\x00b"])
def test_a_missing_or_invalid_key_is_reported_by_the_name_of_its_variable(value: str | None) -> None:
    environment = {} if value is None else {"M_API_KEY": value}
    with pytest.raises(NoKey, match="M_API_KEY") as caught:
        ModelKeys(environment).find(MODEL)
    assert not (value and value.strip()) or value not in str(caught.value)
    assert ModelKeys(environment).problem_of(MODEL) == str(caught.value)


def test_libras_own_variables_are_not_keys() -> None:
    model = Model(name="m", api_key_env="LIBRA_MONGO_URL")
    assert "LIBRA_" in ModelKeys({"LIBRA_MONGO_URL": "mongodb://user:secret@host"}).problem_of(model)
    assert "secret" not in ModelKeys({"LIBRA_MONGO_URL": "mongodb://user:secret@host"}).problem_of(model)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("no key here", "no key here"),
        ("0123456789", MASK),
        ("a 0123456789 b 0123456789", f"a {MASK} b {MASK}"),
        ("01234567, cut", f"{MASK}, cut"),
        ("0123456, too short a piece", "0123456, too short a piece"),
        ("x123456789y", f"x{MASK}y"),
    ],
)
def test_the_key_and_its_pieces_are_masked(text: str, clean: str) -> None:
    assert scrub(text, "0123456789") == clean


def test_without_a_key_nothing_is_masked() -> None:
    assert scrub("text", "") == "text"


@given(st.text(alphabet="abc", min_size=1, max_size=20), st.text(alphabet="abcd", max_size=60))
def test_no_piece_of_a_key_is_left(key: str, text: str) -> None:
    clean = scrub(text, key)
    size = min(8, len(key))
    for part in clean.split(MASK):
        assert not any(key[start : start + size] in part for start in range(len(key) - size + 1))
