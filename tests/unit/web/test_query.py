"""Filters are read from the URL and written into links."""

from __future__ import annotations

import pytest

from libra.core.errors import Invalid
from libra.web.query import MAX_VALUES, Query


def query(*parameters: tuple[str, str]) -> Query:
    return Query("/page", parameters)


def test_reads_what_a_page_knows() -> None:
    given = query(("a", "x"), ("b", "7"), ("c", "one"), ("c", "two"), ("on", "1"))
    assert given.choice("a", ("x", "y")) == "x"
    assert given.choice("none", ("x",), default="x") == "x"
    assert given.integer("b", low=1, high=9, default=3) == 7
    assert given.integer("none", low=1, high=9, default=3) == 3
    assert given.texts("c") == ["one", "two"]
    assert given.flag("on")
    assert not given.flag("off")
    given.finish()


def test_an_empty_field_of_a_form_is_no_filter() -> None:
    given = query(("a", ""), ("b", "x"))
    assert given.text("b") == "x"
    given.finish()
    assert given.url() == "/page?b=x"


def test_refuses_an_unknown_parameter_and_says_which_exist() -> None:
    given = query(("colour", "red"))
    given.text("color")
    with pytest.raises(Invalid, match="did you mean color") as error:
        given.finish()
    assert error.value.field == "colour"


@pytest.mark.parametrize("value", ["x", "0", "10", "-1", "1e3", "٣٣٣", "9" * 400])
def test_refuses_a_number_outside_its_range(value: str) -> None:
    with pytest.raises(Invalid, match="from 1 to 9"):
        query(("n", value)).integer("n", low=1, high=9, default=1)


def test_refuses_a_text_that_is_too_long_and_values_that_are_too_many() -> None:
    with pytest.raises(Invalid, match="longer than 500"):
        query(("a", "x" * 501)).text("a")
    with pytest.raises(Invalid, match="the limit is 500"):
        query(*[("a", "x")] * (MAX_VALUES + 1)).texts("a")


def test_writes_links_that_keep_the_other_filters() -> None:
    given = query(("a", "x&y"), ("b", "é"))
    assert given.url() == "/page?a=x%26y&b=%C3%A9"
    assert given.url(a=None) == "/page?b=%C3%A9"
    assert given.url(a="z", page=2) == "/page?b=%C3%A9&a=z&page=2"
    assert given.at("/other", b=None) == "/other?a=x%26y"
    assert given.items(without=["a"]) == [("b", "é")]
