"""A page token is opaque and belongs to one list; anything else is rejected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.core.errors import Invalid
from libra.rpc import paging

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(key=TEXT, scope=TEXT)
def test_a_token_decodes_to_its_key(key: str, scope: str) -> None:
    assert paging.decode(paging.encode(key, scope), scope) == key


@given(key=TEXT, scope=TEXT, other=TEXT)
def test_a_token_of_another_list_is_rejected(key: str, scope: str, other: str) -> None:
    if scope != other:
        with pytest.raises(Invalid) as caught:
            paging.decode(paging.encode(key, scope), other)
        assert caught.value.field == "page_token"


@given(token=st.text(min_size=1))
def test_garbage_is_rejected(token: str) -> None:
    with pytest.raises(Invalid):
        paging.decode(token, "runs")


@pytest.mark.parametrize("token", ["42", "é", "\ud800", "A" * 100_000, "====", "AAAAAAAA", "a b", "\x00"])
def test_text_that_resembles_a_token_is_rejected(token: str) -> None:
    with pytest.raises(Invalid):
        paging.decode(token, "runs")


def test_an_empty_token_means_the_first_page() -> None:
    assert paging.decode("", "runs") == ""


def test_a_token_is_safe_in_a_query_string() -> None:
    assert set(paging.encode("ключ/?&=", "runs")) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


@pytest.mark.parametrize(("requested", "size"), [(0, 50), (1, 1), (500, 500), (501, 500), (2**31 - 1, 500)])
def test_the_page_size_is_limited(requested: int, size: int) -> None:
    assert paging.page_size(requested, default=50, maximum=500) == size


def test_a_negative_size_is_rejected() -> None:
    with pytest.raises(Invalid) as caught:
        paging.page_size(-1, default=50, maximum=500)
    assert caught.value.field == "page_size"
