"""A process listens for other machines only with TLS and authentication, or when it is told to do without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from libra.core.settings import InvalidSettings
from libra.process.access import create_guard
from libra.process.security import client_credentials, require_protection, server_tls
from libra.process.settings import CommonSettings

TLS = {"tls_cert_file": "cert.pem", "tls_key_file": "key.pem"}


def common(listen: str = "0.0.0.0:1", **fields: str) -> CommonSettings:
    return replace(CommonSettings(), listen=listen, **fields)  # type: ignore[arg-type]  # the fields differ in type


@pytest.mark.parametrize("listen", ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "gateway.example:1", ":1"])
@pytest.mark.parametrize("fields", [{}, {"access": "tokens"}, TLS], ids=["nothing", "tokens", "tls"])
def test_a_process_without_tls_or_authentication_refuses_to_listen_for_others(
    listen: str, fields: dict[str, str]
) -> None:
    with pytest.raises(InvalidSettings, match="LIBRA_ALLOW_REMOTE=without-access-control"):
        require_protection(common(listen, **fields))


@pytest.mark.parametrize(
    "settings",
    [
        common("127.0.0.1:1"),
        common("[::1]:1"),
        common("localhost:1"),
        common(allow_remote="without-access-control"),
        common(access="tokens", **TLS),
        common(tls_client_ca_file="ca.pem", **TLS),
    ],
    ids=["loopback", "loopback_6", "localhost", "told_so", "tokens", "mutual_tls"],
)
def test_a_protected_process_may_listen(settings: CommonSettings) -> None:
    require_protection(settings)


@pytest.mark.parametrize(
    "fields", [{"tls_cert_file": "x"}, {"tls_key_file": "x"}, {"tls_client_ca_file": "x"}], ids=["cert", "key", "ca"]
)
def test_tls_needs_a_certificate_and_its_key(fields: dict[str, str]) -> None:
    with pytest.raises(InvalidSettings, match="LIBRA_TLS_CERT_FILE and LIBRA_TLS_KEY_FILE"):
        server_tls(common(**fields))


def test_tokens_need_a_way_in_which_services_recognise_each_other() -> None:
    store: Any = None  # not reached
    with pytest.raises(InvalidSettings, match="LIBRA_SERVICE_TOKEN_FILE or LIBRA_TLS_SERVICE_NAMES"):
        create_guard(common(access="tokens"), store)


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("x" * 40)
    file.chmod(0o644)
    with pytest.raises(InvalidSettings, match="LIBRA_SERVICE_TOKEN_FILE: other users can read"):
        client_credentials(common(service_token_file=str(file)))
    file.chmod(0o600)
    assert client_credentials(common(service_token_file=str(file))).metadata() == (
        ("authorization", f"Bearer {'x' * 40}"),
    )


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("x" * 31)
    file.chmod(0o600)
    with pytest.raises(InvalidSettings, match="at least 32 characters"):
        client_credentials(common(service_token_file=str(file)))
