"""The files by which a system on one machine has TLS and asks for tokens. Only its owner can read them."""

from __future__ import annotations

import importlib
import secrets
from dataclasses import dataclass
from pathlib import Path

from libra.local.private_files import make_folder, open_private
from libra.local.topology import WEB, service_of

FOLDER = "access"
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Protection:
    """The files of one system."""

    folder: Path

    @property
    def authorities(self) -> Path:
        """The authority of the services' certificate."""
        return self.folder / "ca.pem"

    @property
    def certificate(self) -> Path:
        """The certificate of all services."""
        return self.folder / "cert.pem"

    @property
    def key(self) -> Path:
        """The private key of the certificate."""
        return self.folder / "key.pem"

    @property
    def service_secret(self) -> Path:
        """The secret by which the services recognise each other."""
        return self.folder / "service.secret"

    @property
    def admin_secret(self) -> Path:
        """The token of the owner, who has every right."""
        return self.folder / "admin.secret"

    def service_environment(self, name: str) -> dict[str, str]:
        """Return the environment variables of a replica. The pages can read everything, and are no administrator."""
        is_page = service_of(name) == WEB
        return {
            "LIBRA_ACCESS": "tokens",
            "LIBRA_TLS_CA_FILE": str(self.authorities),
            "LIBRA_TLS_CERT_FILE": str(self.certificate),
            "LIBRA_TLS_KEY_FILE": str(self.key),
            "LIBRA_TLS_CLIENT_CA_FILE": "",
            "LIBRA_SERVICE_TOKEN_FILE": str(self.service_secret),
            "LIBRA_ADMIN_TOKEN_FILE": "" if is_page else str(self.admin_secret),
        }


def find(data: Path) -> Protection | None:
    """Return the files of the system in a data folder; None if it has no TLS."""
    protection = Protection(data.resolve() / FOLDER)
    return protection if protection.authorities.exists() else None


def create(data: Path) -> Protection:
    """Create the files that are missing, and replace a certificate that expires soon. Services read it again."""
    protection = Protection(data.resolve() / FOLDER)
    make_folder(protection.folder)
    for file in (protection.service_secret, protection.admin_secret):
        if not file.exists():
            _write(file, secrets.token_urlsafe(SECRET_BYTES).encode())
    # Not at the top: every command imports this module, and only `libra up` creates certificates.
    certificates = importlib.import_module("libra.local.access.certificates")
    files = (protection.key, protection.certificate, protection.authorities)
    if not all(file.exists() for file in files) or certificates.expires_soon(protection.certificate.read_bytes()):
        issued = certificates.issue()
        for file, content in zip(files, (issued.key, issued.certificate, issued.authority), strict=True):
            _write(file, content)
    return protection


def remove(data: Path) -> None:
    """Delete the files of the system in a data folder."""
    protection = Protection(data.resolve() / FOLDER)
    tls = (protection.authorities, protection.certificate, protection.key)
    for file in (*tls, protection.service_secret, protection.admin_secret):
        file.unlink(missing_ok=True)


def _write(file: Path, content: bytes) -> None:
    new = file.with_suffix(".new")
    with open_private(new, "wb") as opened:
        opened.write(content)
    new.replace(file)
