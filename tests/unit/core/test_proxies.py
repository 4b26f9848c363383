from __future__ import annotations

import base64

import pytest
from yarl import URL

from libra.core.http.proxies import Proxies
from libra.core.settings import InvalidSettings


def used(environment: dict[str, str], url: str) -> str:
    proxy = Proxies.parse(environment).proxy_for(URL(url))
    return str(proxy.url) if proxy else ""


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "https://a.example", ""),
        ({"HTTPS_PROXY": "http://p:1"}, "https://a.example", "http://p:1"),
        ({"https_proxy": "http://p:1"}, "https://a.example", "http://p:1"),
        ({"https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:1"}, "https://a.example", "http://low:1"),
        ({"https_proxy": "", "HTTPS_PROXY": "http://up:1"}, "https://a.example", ""),
        ({"HTTPS_PROXY": "http://p:1"}, "http://a.example", ""),
        ({"HTTP_PROXY": "http://p:1"}, "http://a.example", "http://p:1"),
        ({"ALL_PROXY": "http://p:1"}, "http://a.example", "http://p:1"),
        ({"ALL_PROXY": "http://p:1", "HTTP_PROXY": "http://q:1"}, "http://a.example", "http://q:1"),
        ({"HTTP_PROXY": "p.example:3128"}, "http://a.example", "http://p.example:3128"),
        ({"HTTP_PROXY": "https://p.example"}, "http://a.example", "https://p.example"),
        ({"HTTP_PROXY": "http://[::1]:3128"}, "http://a.example", "http://[::1]:3128"),
        ({"HTTP_PROXY": "http://p:1"}, "http://127.0.0.1:8000", ""),
        ({"HTTP_PROXY": "http://p:1"}, "http://[::1]:8000", ""),
        ({"HTTP_PROXY": "http://p:1"}, "http://localhost:8000", ""),
    ],
)
def test_the_proxy_is_that_of_the_environment(environment: dict[str, str], url: str, proxy: str) -> None:
    assert used(environment, url) == proxy


@pytest.mark.parametrize(
    ("no_proxy", "bypassed", "proxied"),
    [
        ("*", "a.example 10.0.0.1 [2001:db8::1]", ""),
        ("a.example", "a.example A.EXAMPLE x.a.example a.example.", "ba.example example"),
        (".a.example", "a.example x.a.example", "ba.example"),
        ("*.a.example", "x.a.example", "ba.example"),
        ("a.example:8000", "a.example:8000", "a.example a.example:8001"),
        ("b.example, a.example ,", "a.example b.example", "c.example"),
        ("10.0.0.0/8,fd00::/8", "10.1.2.3 [fd00::1]", "11.0.0.1 [fe00::1] a.example"),
        ("10.0.0.1", "10.0.0.1", "10.0.0.2 10.0.0.10"),
        ("[2001:db8::1]", "[2001:db8::1] [2001:db8:0::1]", "[2001:db8::2]"),
        ("2001:db8::1", "[2001:db8::1]", "[2001:db8::2]"),
        ("[2001:db8::1]:8000", "[2001:db8::1]:8000", "[2001:db8::1]"),
        ("10.0.0.0/99,a b,%", "", "10.0.0.1 a.example"),
        ("müller.example", "xn--mller-kva.example", "a.example"),
    ],
)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_exceptions_are_hosts_suffixes_ports_and_networks(
    name: str, no_proxy: str, bypassed: str, proxied: str
) -> None:
    environment = {"HTTP_PROXY": "http://p:1", name: no_proxy}
    assert [host for host in bypassed.split() if used(environment, f"http://{host}/v1")] == []
    assert [host for host in proxied.split() if not used(environment, f"http://{host}/v1")] == []


@pytest.mark.parametrize(
    "value", ["socks5://user:secret@p:1", "http://", "http://u:secret@:1", "http://p:x", "ftp://p"]
)
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable_only(value: str) -> None:
    with pytest.raises(InvalidSettings, match="HTTPS_PROXY") as caught:
        Proxies.parse({"HTTPS_PROXY": value})
    assert "secret" not in str(caught.value)


def test_the_password_of_a_proxy_is_in_no_text() -> None:
    proxy = Proxies.parse({"HTTP_PROXY": "http://user:se%3Acret@p:1/x"}).by_scheme["http"]
    assert base64.b64decode(proxy.authorization.removeprefix("Basic ")) == b"user:se:cret"
    assert "cret" not in repr(proxy)
