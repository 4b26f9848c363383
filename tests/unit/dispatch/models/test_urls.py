from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.core.errors import Invalid
from libra.dispatch.models.urls import canonical_url, with_canonical_url
from libra.v1.model_pb2 import Model, RequestOptions


@pytest.mark.parametrize(
    ("url", "base_url"),
    [
        ("HTTPS://API.Example.COM:443/v1/", "https://api.example.com/v1"),
        ("http://a.example:80", "http://a.example"),
        ("https://a.example:80", "https://a.example:80"),
        ("  https://a.example/v1\n", "https://a.example/v1"),
        ("http://a.example./V1///", "http://a.example/V1"),
        ("http://a/v1/../v2/./x", "http://a/v2/x"),
        ("http://a/../../v1", "http://a/v1"),
        ("http://a/v1/%2e%2E/v2", "http://a/v2"),
        ("http://a/a%2Fb", "http://a/a%2Fb"),
        ("http://müller.example/ü", "http://xn--mller-kva.example/%C3%BC"),
        ("http://2130706433:8000/v1", "http://127.0.0.1:8000/v1"),
        ("http://[::FFFF:127.0.0.1]/v1", "http://127.0.0.1/v1"),
        ("http://[0:0::1]:8080/v1", "http://[::1]:8080/v1"),
        ("https://a/v1/chat/completions", "https://a/v1"),
        ("https://a/v1/completions/", "https://a/v1"),
        ("https://a/v1/responses", "https://a/v1"),
        ("https://a/v1/messages", "https://a/v1"),
        ("https://a/chat/completions/v1", "https://a/chat/completions/v1"),
        ("https://a/v1/mycompletions", "https://a/v1/mycompletions"),
    ],
)
def test_a_url_is_stored_in_one_form(url: str, base_url: str) -> None:
    assert canonical_url(url) == (base_url, {}, "")
    assert canonical_url(base_url) == (base_url, {}, "")


@pytest.mark.parametrize(
    ("url", "base_url", "query", "remote_model"),
    [
        (
            "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
            "https://r.openai.azure.com/openai/deployments/d",
            {"api-version": "2024-10-21"},
            "",
        ),
        ("https://g.example/v1beta/models/g-2:generateContent", "https://g.example/v1beta", {}, "g-2"),
        (
            "https://l.example/v1/projects/p/locations/l/publishers/google/models/g:streamGenerateContent",
            "https://l.example/v1/projects/p/locations/l/publishers/google",
            {},
            "g",
        ),
        ("https://b.example/model/a.b-v1%3A0/converse", "https://b.example", {}, "a.b-v1:0"),
        ("https://b.example/v1?a=1&b=", "https://b.example/v1", {"a": "1", "b": ""}, ""),
    ],
)
def test_a_copied_url_says_more_than_its_base(
    url: str, base_url: str, query: dict[str, str], remote_model: str
) -> None:
    assert canonical_url(url) == (base_url, query, remote_model)


def test_the_query_joins_the_options_and_the_name_does_not_replace_that_of_the_user() -> None:
    model = Model(
        base_url="https://g.example/v1/models/g:generateContent?x=1",
        remote_model="mine",
        options=RequestOptions(query={"y": "2"}),
    )
    stored = with_canonical_url(model)
    assert (stored.base_url, stored.remote_model) == ("https://g.example/v1", "mine")
    assert dict(stored.options.query) == {"x": "1", "y": "2"}
    assert model.base_url.endswith("?x=1")
    assert with_canonical_url(stored) == stored


def test_a_query_that_contradicts_the_options_is_refused() -> None:
    with pytest.raises(Invalid, match="different values of 'x'"):
        with_canonical_url(Model(base_url="https://a/?x=1", options=RequestOptions(query={"x": "2"})))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example/v1",
        "//a.example",
        "ftp://a.example",
        "file:///etc/passwd",
        "http://",
        "http:///v1",
        "https://sk-secret@a.example",
        "https://user:sk-secret@a.example",
        "https://@a.example",
        "https://a.example/#sk-secret",
        "https://a.example?key=sk-secret",
        "https://a.example?api_key=sk-secret",
        "https://a.example?access_token=sk-secret",
        "https://a.example?x=1&x=2",
        "http://a.example:0",
        "http://a.example:65536",
        "http://a.example:x",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://a.example\\@b.example/",
        "http://a.example/\x00",
        "http://a.example/a b",
        "http://a.example\t/",
        "http://256.1.1.1",
        "http://a..b",
        "http://a/" + "x" * 2048,
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        canonical_url(url)
    assert caught.value.field == "model.base_url"
    assert "secret" not in caught.value.message


@given(st.text(alphabet="abAB./:@?#[]%2e\\ ü1", max_size=40))
def test_the_canonical_form_is_stable(rest: str) -> None:
    try:
        first = canonical_url(f"http://{rest}")
    except Invalid:
        return
    assert canonical_url(first.base_url).base_url == first.base_url or first.base_url.endswith(
        ("/completions", "/responses", "/messages")
    )
