"""A page token is opaque, belongs to one list, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.core.errors import Invalid
from libra.rpc import paging

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(key=TEXT, scope=TEXT)
def test_a_token_gives_its_key_back(key: str, scope: str) -> None:
    assert paging.decode(paging.encode(key, scope), scope) == key


@given(key=TEXT, scope=TEXT, other=TEXT)
def test_a_token_of_another_list_is_refused(key: str, scope: str, other: str) -> None:
    if scope != other:
        with pytest.raises(Invalid) as caught:
            paging.decode(paging.encode(key, scope), other)
        assert caught.value.field == "page_token"


@given(token=st.text(min_size=1))
def test_garbage_is_refused(token: str) -> None:
    with pytest.raises(Invalid):
        paging.decode(token, "runs")


@pytest.mark.parametrize("token", ["42", "é", "\ud800", "A" * 100_000, "====", "AAAAAAAA", "a b", "\x00"])
def test_what_looks_a_little_like_a_token_is_refused(token: str) -> None:
    with pytest.raises(Invalid):
        paging.decode(token, "runs")


def test_no_token_is_the_first_page() -> None:
    assert paging.decode("", "runs") == ""


def test_a_token_fits_into_a_query_string() -> None:
    assert set(paging.encode("ключ/?&=", "runs")) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


@pytest.mark.parametrize(("asked", "size"), [(0, 50), (1, 1), (500, 500), (501, 500), (2**31 - 1, 500)])
def test_a_page_has_a_size_within_bounds(asked: int, size: int) -> None:
    assert paging.page_size(asked, default=50, maximum=500) == size


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        paging.page_size(-1, default=50, maximum=500)
    assert caught.value.field == "page_size"
