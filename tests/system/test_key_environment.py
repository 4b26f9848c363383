"""`libra up` hands API keys and proxies to the gateway, and to no other process."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from libra.local.system import System
from libra.local.topology import PARTS

KEYS = {"SECRET_API_KEY": "sk-up-1", "LIBRA_KEY_MINE": "sk-up-2", "HTTPS_PROXY": "http://user:sk-up-3@proxy.test:1"}


def test_only_the_gateway_gets_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**KEYS, "DATABASE_PASSWORD": "sk-up-4"}.items():
        monkeypatch.setenv(name, value)
    with System.start(tmp_path) as system:
        environments = {name: psutil.Process(system.pid(name)).environ() for name in system.part_names}
        assert "is not a setting" not in system.log_path("gateway").read_text()
    gateway = environments.pop("gateway")
    assert {name: gateway.get(name) for name in KEYS} == KEYS
    assert "DATABASE_PASSWORD" not in gateway
    assert set(environments) == set(PARTS) - {"gateway"}
    for environment in environments.values():
        assert not any("sk-up" in value for value in environment.values())
    for name in ("gateway", "dispatch"):
        environment = gateway if name == "gateway" else environments[name]
        assert environment["LIBRA_GATEWAY_ALLOWED_NETWORKS"] == "loopback"
