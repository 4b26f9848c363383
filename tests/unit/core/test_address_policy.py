from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.core.http.address_policy import METADATA, AddressPolicy, AddressRefused, group_of

REFUSED = {
    "loopback": "127.0.0.1 127.255.0.9 ::1 localhost LOCALHOST a.localhost localhost. 2130706433 0x7f.1 127.1 "
    "017700000001 ①②⑦.0.0.1 [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [::ffff:0:127.0.0.1] "
    "[64:ff9b::127.0.0.1] [64:ff9b:1::7f00:1] [2002:7f00:1::]",
    "private": "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 [fc00::1] [fd12:3456::1] 0300.0250.0.1 3232235521 "
    "[64:ff9b::10.0.0.1] [fec0::1]",
    "link-local": "169.254.1.1 [fe80::1]",
    "metadata": "169.254.169.254 169.254.170.2 2852039166 0xa9fea9fe [fd00:ec2::254] [fd00:ec2:0::254] "
    "100.100.100.200 168.63.129.16 metadata.google.internal METADATA.google.internal. a.metadata.google.internal "
    "metadata [::ffff:169.254.169.254] [64:ff9b::a9fe:a9fe] [2002:a9fe:a9fe::1]",
    "shared": "100.64.0.1 100.127.255.255",
    "unspecified": "0.0.0.0 0 0.1.2.3 [::]",
    "multicast": "224.0.0.1 239.1.1.1 [ff02::1]",
    "reserved": "192.0.2.1 198.18.0.1 240.0.0.1 255.255.255.255 192.0.0.1 [2001:db8::1] [100::1] [2001::1]",
}
CASES = [(host, group) for group, hosts in REFUSED.items() for host in hosts.split()]


@pytest.mark.parametrize(("host", "group"), CASES)
def test_no_model_is_inside_the_operators_network(host: str, group: str) -> None:
    with pytest.raises(AddressRefused, match=group):
        AddressPolicy().check_host(host)


@pytest.mark.parametrize(
    "host",
    ["api.example.com", "8.8.8.8", "1.1.1.1", "[2606:4700::1111]", "[64:ff9b::8.8.8.8]", "mylocalhost", "172.32.0.1"],
)
def test_the_internet_is_allowed(host: str) -> None:
    AddressPolicy().check_host(host)


@pytest.mark.parametrize(
    ("setting", "allowed", "refused"),
    [
        ("loopback", "127.0.0.1 [::1] localhost [::ffff:127.0.0.1]", "10.0.0.1 169.254.169.254 0.0.0.0"),
        ("private", "10.0.0.1 192.168.0.1 [fd00::1]", "127.0.0.1 169.254.169.254 [fd00:ec2::254] 100.64.0.1"),
        ("link-local", "169.254.1.1 [fe80::1]", "169.254.169.254 169.254.170.2 10.0.0.1"),
        ("shared", "100.64.0.1", "100.100.100.200"),
        ("10.1.0.0/16, 10.2.0.5", "10.1.9.9 10.2.0.5 [64:ff9b::10.1.0.1]", "10.2.0.6 10.0.0.1 localhost"),
        ("0.0.0.0/0,::/0", "127.0.0.1 10.0.0.1 [fe80::1]", "169.254.169.254 metadata.google.internal"),
        ("169.254.169.254", "169.254.169.254", "169.254.170.2 169.254.1.1"),
        ("127.0.0.1/32", "127.0.0.1 localhost", "127.0.0.2"),
        ("64:ff9b::/96", "[64:ff9b::8.8.8.8]", "[64:ff9b::127.0.0.1]"),
        ("", "8.8.8.8", "127.0.0.1"),
    ],
)
def test_the_operator_allows_networks(setting: str, allowed: str, refused: str) -> None:
    policy = AddressPolicy.parse(setting)
    for host in allowed.split():
        policy.check_host(host)
    for host in refused.split():
        with pytest.raises(AddressRefused):
            policy.check_host(host)


@pytest.mark.parametrize("setting", ["lan", "10.0.0.1/8", "10.0.0.0/33", "127.0.0.1:80", "metadata", "example.com"])
def test_an_invalid_setting_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=r"10\.1\.0\.0/16"):
        AddressPolicy.parse(setting)


def test_the_remedy_of_a_refusal_works() -> None:
    with pytest.raises(AddressRefused) as caught:
        AddressPolicy().check_host("192.168.7.7")
    setting = str(caught.value).rpartition("=")[2]
    AddressPolicy.parse(setting).check_host("192.168.7.7")


@given(st.ip_addresses())
def test_an_address_is_allowed_if_and_only_if_it_is_of_the_internet(address: IPv4Address) -> None:
    if address.is_private or address.is_multicast or address.is_link_local or address.is_loopback:
        assert group_of(address)


@given(st.sampled_from(sorted(METADATA, key=str)), st.sampled_from(["private,link-local,shared,loopback", "::/0"]))
def test_no_word_allows_a_metadata_service(address: IPv4Address, setting: str) -> None:
    with pytest.raises(AddressRefused, match="metadata"):
        AddressPolicy.parse(setting).check_address(ip_address(str(address)), "host")
