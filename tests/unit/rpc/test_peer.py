from __future__ import annotations

import pytest

from libra.rpc.peer import is_loopback


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("ipv4:127.0.0.1:4711", True),
        ("ipv4:127.9.9.9:4711", True),
        ("ipv6:[::1]:4711", True),
        ("ipv6:[::ffff:127.0.0.1]:4711", True),
        ("unix:/tmp/socket", True),
        ("unix:", True),
        ("ipv4:10.0.0.1:4711", False),
        ("ipv6:[::ffff:10.0.0.1]:4711", False),
        ("ipv6:[2001:db8::1]:4711", False),
        ("ipv4:127.0.0.1.example.com:4711", False),
        ("dns:localhost:4711", False),
        ("", False),
    ],
)
def test_only_addresses_of_the_same_machine_are_loopback(peer: str, *, expected: bool) -> None:
    assert is_loopback(peer) is expected
