from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.core.http.host_name import InvalidHost, canonical_host, in_url


@pytest.mark.parametrize(
    ("host", "canonical"),
    [
        ("API.Example.COM", "api.example.com"),
        ("example.com.", "example.com"),
        ("my_server", "my_server"),
        ("müller.example", "xn--mller-kva.example"),
        ("MÜLLER.example", "xn--mller-kva.example"),
        ("xn--mller-kva.example", "xn--mller-kva.example"),
        ("ex\u00adample.com", "example.com"),
        ("ⓔxample。com", "example.com"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0x7F.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("127.0.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0177.0.0.01", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("①②⑦.⓪.⓪.①", "127.0.0.1"),
        ("１２７.0.0.1", "127.0.0.1"),
        ("127。0。0。1", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("4294967295", "255.255.255.255"),
        ("[::1]", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("[2001:DB8::0:1]", "2001:db8::1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("[::FFFF:7f00:1]", "127.0.0.1"),
    ],
)
def test_each_host_has_one_spelling(host: str, canonical: str) -> None:
    assert canonical_host(host) == canonical
    assert canonical_host(canonical) == canonical


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "a..b",
        "a b",
        "a%2eb",
        "%31%32%37.0.0.1",
        "a/b",
        "a@b",
        "a" * 64,
        ".".join(["a" * 50] * 6),
        "256.0.0.1",
        "1.2.3.4.5",
        "4294967296",
        "1.16777216",
        "08.0.0.1",
        "a.1",
        "[::1",
        "[fe80::1%eth0]",
        "fe80::1%25eth0",
        "[v1.a]",
        "[127.0.0.1]",
        ":::",
        ":\x00",
        "-\u0300",
        "a\u200e\ud800",
    ],
)
def test_what_is_no_host_is_refused(host: str) -> None:
    if host == "[::1":
        assert canonical_host(host) == "::1"  # a URL with it is refused before
        return
    with pytest.raises(InvalidHost):
        canonical_host(host)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["{}", "{:#x}", "0{:o}"]))
def test_a_number_is_the_address_that_the_system_connects_to(number: int, form: str) -> None:
    text = form.format(number)
    assert canonical_host(text) == str(IPv4Address(number)) == socket.inet_ntoa(socket.inet_aton(text))


@given(st.lists(st.integers(0, 255), min_size=3, max_size=3), st.integers(1, 3), st.integers(0, 2**8 - 1))
def test_missing_parts_are_filled_as_the_system_does(first: list[int], parts: int, last: int) -> None:
    text = ".".join(str(number) for number in [*first[:parts], last])
    assert canonical_host(text) == socket.inet_ntoa(socket.inet_aton(text))


@given(st.ip_addresses(v=6))
def test_an_ipv6_address_has_brackets_in_a_url(address: IPv6Address) -> None:
    expected = str(address.ipv4_mapped) if address.ipv4_mapped else f"[{address.compressed}]"
    assert in_url(canonical_host(address.exploded)) == expected


@given(st.text(max_size=30))
def test_every_text_is_canonical_or_invalid(text: str) -> None:
    try:
        host = canonical_host(text)
    except InvalidHost:
        return
    assert host.isascii()
    assert canonical_host(host) == host
