"""The certificates and secrets of a local system are private, stay, and are renewed in time."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from libra.local.access import certificates, protection
from libra.rpc.secret_file import SecretFile
from libra.rpc.tls import ServerTls, Tls


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_the_files_are_private_and_stay(tmp_path: Path) -> None:
    assert protection.find(tmp_path) is None
    created = protection.create(tmp_path)
    assert protection.find(tmp_path) == created
    assert stat.S_IMODE(created.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in created.folder.iterdir()} == {0o600}
    before = contents(created.folder)
    protection.create(tmp_path)
    assert contents(created.folder) == before
    assert SecretFile(created.admin_secret).first != SecretFile(created.service_secret).first
    ServerTls(created.certificate, created.key, created.authorities).server_credentials()
    Tls(created.authorities).channel_credentials()
    protection.remove(tmp_path)
    assert (protection.find(tmp_path), contents(created.folder)) == (None, {})


def test_a_certificate_is_replaced_before_it_expires_and_the_secrets_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "VALID_TIME", timedelta(days=29))
    created = protection.create(tmp_path)
    before = contents(created.folder)
    monkeypatch.undo()
    protection.create(tmp_path)
    changed = {name for name, content in contents(created.folder).items() if before[name] != content}
    assert changed == {"ca.pem", "cert.pem", "key.pem"}
    end = x509.load_pem_x509_certificate(created.certificate.read_bytes()).not_valid_after_utc
    assert end > datetime.now(UTC) + timedelta(days=300)


def test_a_damaged_certificate_is_replaced(tmp_path: Path) -> None:
    created = protection.create(tmp_path)
    created.certificate.write_text("none")
    protection.create(tmp_path)
    ServerTls(created.certificate, created.key).server_credentials()


def test_the_pages_are_no_administrator(tmp_path: Path) -> None:
    created = protection.create(tmp_path)
    secret = str(created.admin_secret)
    assert created.service_environment("judge-2")["LIBRA_ADMIN_TOKEN_FILE"] == secret
    assert secret not in created.service_environment("web").values()
