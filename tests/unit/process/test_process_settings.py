"""The addresses and connections of a process are read from its environment."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from libra.core.settings import InvalidSettings
from libra.process.settings import LISTEN, load


@dataclass(frozen=True, slots=True)
class OwnSettings:
    slots: int = 3


def test_without_variables_all_settings_have_defaults() -> None:
    shared, own = load("judge", OwnSettings, {})
    assert (shared.listen, shared.metrics_listen) == ("127.0.0.1:50054", "127.0.0.1:9104")
    assert (shared.mongo_database, shared.otlp_endpoint, shared.log_level, shared.log_format) == (
        "libra",
        "",
        "info",
        "json",
    )
    assert own == OwnSettings()


def test_no_two_services_share_an_address() -> None:
    addresses = [address for pair in LISTEN.values() for address in pair]
    assert len(set(addresses)) == len(addresses)


def test_a_service_reads_its_own_variables_and_the_shared_ones() -> None:
    environ = {
        "LIBRA_JUDGE_LISTEN": "[::]:1",
        "LIBRA_ATTACK_LISTEN": "0.0.0.0:2",
        "LIBRA_JUDGE_SLOTS": "7",
        "LIBRA_NATS_URL": "nats://a:4222, tls://b:4222",
    }
    shared, own = load("judge", OwnSettings, environ)
    assert (shared.listen, own.slots) == ("[::]:1", 7)
    assert shared.nats_url == environ["LIBRA_NATS_URL"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIBRA_JUDGE_LISTEN", "8080"),
        ("LIBRA_JUDGE_LISTEN", "host:port"),
        ("LIBRA_JUDGE_METRICS_LISTEN", "a b:1"),
        ("LIBRA_JUDGE_SLOTS", "three"),
        ("LIBRA_LOG_LEVEL", "INFO!"),
        ("LIBRA_LOG_FORMAT", ""),
        ("LIBRA_NATS_URL", ""),
        ("LIBRA_NATS_URL", "nats://a:4222,b"),
    ],
)
def test_an_invalid_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        load("judge", OwnSettings, {name: value})
