"""A page token is opaque and belongs to one list; anything else is rejected."""

from __future__ import annotations

import asyncio
import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.core.errors import Invalid
from libra.rpc import paging

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def tokens(key: bytes = b"k" * 32) -> paging.PageTokens:
    async def load_key() -> bytes:
        return key

    return paging.PageTokens(load_key)


def encode(position: str, scope: str, key: bytes = b"k" * 32) -> str:
    return asyncio.run(tokens(key).encode(position, scope))


def decode(token: str, scope: str, key: bytes = b"k" * 32) -> str:
    return asyncio.run(tokens(key).decode(token, scope))


def assert_is_rejected(token: str, scope: str) -> None:
    with pytest.raises(Invalid, match="it is not a page token of this list; pass next_page_token") as caught:
        decode(token, scope)
    assert caught.value.field == "page_token"


@given(position=TEXT, scope=TEXT)
def test_a_token_decodes_to_its_position_in_every_replica(position: str, scope: str) -> None:
    assert decode(encode(position, scope), scope) == position


@given(position=TEXT, scope=TEXT, other=TEXT)
def test_a_token_of_another_list_is_rejected(position: str, scope: str, other: str) -> None:
    if scope != other:
        assert_is_rejected(encode(position, scope), other)


def test_a_scope_that_ends_in_the_position_of_another_is_another_list() -> None:
    assert_is_rejected(encode("\0b", "runs"), "runs\0")
    assert_is_rejected(encode("b", "runs\0"), "runs")


@given(token=st.text(min_size=1))
def test_garbage_is_rejected(token: str) -> None:
    assert_is_rejected(token, "runs")


@pytest.mark.parametrize("token", ["42", "é", "\ud800", "A" * 100_000, "====", "AAAAAAAA", "a b", "\x00", "A" * 43])
def test_text_that_resembles_a_token_is_rejected(token: str) -> None:
    assert_is_rejected(token, "runs")


@pytest.mark.parametrize("check_bytes", [6, 16, 32])
def test_a_token_with_a_checksum_that_needs_no_key_is_rejected(check_bytes: int) -> None:
    position, scope = b"01JZ0000000000000000000000", b"runs"
    digest = hashlib.sha256(scope + b"\0" + position).digest()[:check_bytes]
    assert_is_rejected(base64.urlsafe_b64encode(digest + position).rstrip(b"=").decode(), "runs")


def test_a_token_of_another_key_is_rejected() -> None:
    assert_is_rejected(encode("5", "runs", b"o" * 32), "runs")


@pytest.mark.parametrize("position", ["5", "50", "500", "01JZ0000000000000000000000"])
def test_a_token_with_one_other_character_is_rejected(position: str) -> None:
    token = encode(position, "runs")
    for i, old in enumerate(token):
        for new in "AZaz09-_":
            if new != old:
                assert_is_rejected(token[:i] + new + token[i + 1 :], "runs")
    assert_is_rejected(token + "=", "runs")
    assert_is_rejected(token[:-1], "runs")
    assert_is_rejected(token + "A", "runs")


def test_an_empty_token_means_the_first_page_and_needs_no_key() -> None:
    async def load_key() -> bytes:
        raise AssertionError

    assert asyncio.run(paging.PageTokens(load_key).decode("", "runs")) == ""


def test_a_token_is_safe_in_a_query_string() -> None:
    assert set(encode("ключ/?&=", "runs")) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(("requested", "size"), [(0, 50), (1, 1), (500, 500), (501, 500), (2**31 - 1, 500)])
def test_the_page_size_is_limited(requested: int, size: int) -> None:
    assert paging.page_size(requested, default=50, maximum=500) == size


def test_a_negative_size_is_rejected() -> None:
    with pytest.raises(Invalid) as caught:
        paging.page_size(-1, default=50, maximum=500)
    assert caught.value.field == "page_size"
