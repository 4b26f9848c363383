"""The address of a visitor behind proxies is read from headers of trusted proxies only."""

from __future__ import annotations

import time
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from libra.web.security.client_address import ClientAddresses, parse_address
from libra.web.settings import ForwardedHeader

PROXIES = "10.0.0.0/8,fd00::/8"
PROXY, VISITOR, OTHER = "10.0.0.1", "192.0.2.7", "198.51.100.9"


def find(
    peer: str, *values: str, trusted: str = PROXIES, header: ForwardedHeader = "x-forwarded-for", **others: str
) -> str:
    headers = CIMultiDict[str]([(header.title(), value) for value in values])
    headers.extend({name.replace("_", "-"): value for name, value in others.items()})
    transport = FakeTransport(peer)
    request = make_mocked_request("GET", "/", headers=headers, transport=transport)
    return ClientAddresses.create(trusted, header).find(request)


class FakeTransport:
    """A connection from an address."""

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return (self._peer, 1) if name == "peername" else default


def test_without_trusted_proxies_no_header_is_believed() -> None:
    assert find(PROXY, VISITOR, trusted="") == PROXY
    assert find("127.0.0.1", VISITOR, trusted="", Forwarded=f"for={VISITOR}") == "127.0.0.1"


def test_a_visitor_who_connects_directly_cannot_choose_an_address() -> None:
    assert find(VISITOR, OTHER) == VISITOR
    assert find(VISITOR, PROXY, OTHER) == VISITOR


def test_the_last_address_that_is_no_trusted_proxy_counts() -> None:
    assert find(PROXY, VISITOR) == VISITOR
    assert find(PROXY, f"{VISITOR}, 10.9.9.9") == VISITOR
    assert find(PROXY, VISITOR, "10.9.9.9, 10.1.1.1") == VISITOR
    assert find("fd00::1", "2001:db8::7") == "2001:db8::7"


@pytest.mark.parametrize(
    "forged",
    [
        OTHER,
        f"{OTHER}, {OTHER}",
        "10.0.0.9",
        "unknown",
        "",
        ",,,",
        f"{OTHER},",
        '"',
        '"10.0.0.1',
        "127.0.0.1",
        "x" * 5000,
    ],
)
def test_what_a_visitor_writes_in_front_changes_nothing(forged: str) -> None:
    assert find(PROXY, f"{forged}, {VISITOR}") == VISITOR
    assert find(PROXY, forged, VISITOR) == VISITOR
    assert find(PROXY, f"for={forged}, for={VISITOR}", header="forwarded") == VISITOR
    assert find(PROXY, f"for={forged};by=x", f"for={VISITOR};proto=https", header="forwarded") == VISITOR


def test_only_the_named_header_is_read() -> None:
    assert find(PROXY, VISITOR, Forwarded=f"for={OTHER}") == VISITOR
    assert find(PROXY, Forwarded=f"for={OTHER}") == PROXY
    assert find(PROXY, f"for={VISITOR}", header="forwarded", X_Forwarded_For=OTHER) == VISITOR
    assert find(PROXY, header="forwarded", X_Forwarded_For=OTHER) == PROXY


def test_an_element_that_is_no_address_ends_the_list_at_the_proxy_that_wrote_it() -> None:
    assert find(PROXY, f"{VISITOR}, unknown") == PROXY
    assert find(PROXY, f"{VISITOR}, _hidden, 10.2.2.2") == "10.2.2.2"
    assert find(PROXY, f"for={VISITOR}, for=_hidden", header="forwarded") == PROXY
    assert find(PROXY, f"for={VISITOR}, by={OTHER}", header="forwarded") == PROXY


def test_if_all_are_proxies_the_first_of_them_counts() -> None:
    assert find(PROXY, "10.3.3.3, 10.2.2.2") == "10.3.3.3"


def test_the_forms_of_addresses_are_read() -> None:
    forwarded = 'for="[2001:db8:cafe::17]:4711";by="_x,y";proto=https, FOR=10.0.0.8'
    assert find(PROXY, forwarded, header="forwarded") == "2001:db8:cafe::17"
    assert find(PROXY, f'proto=http;for="{VISITOR}:80"', header="forwarded") == VISITOR
    forms = {"192.0.2.7:4711": VISITOR, " ::ffff:192.0.2.7 ": VISITOR, "[::1]": "::1", "2001:DB8::1": "2001:db8::1"}
    assert {text: str(parse_address(text)) for text in forms} == forms
    for text in ("", "unknown", "192.0.2.7.8", "192.0.2.7 8", "[::1", "::1]", "192.0.2.0/24", "localhost", "1"):
        assert text == "[::1" or parse_address(text) is None


def test_a_long_header_takes_no_time() -> None:
    started = time.perf_counter()
    for header in (",", '"', ', "', "for=10.0.0.1,"):
        find(PROXY, header * 3000)
        find(PROXY, header * 3000, header="forwarded")
    assert time.perf_counter() - started < 2
