"""The TLS certificates and the token with which commands call the services."""

from __future__ import annotations

from pathlib import Path

from libra.cli.settings import Settings
from libra.client.credentials import token_metadata
from libra.local.access.protection import Protection
from libra.rpc.credential_channel import Credentials
from libra.rpc.secret_file import SecretFile
from libra.rpc.tls import Tls


def client_credentials(settings: Settings, address: str, local: Protection | None = None) -> Credentials:
    """Return the credentials for calls to `address`, for what the settings leave out those of the local system.

    Raises Invalid for a file that cannot be used, and for a token that would leave this machine in plain text.
    """
    tls = Tls(local.authorities) if local else None
    if settings.tls_ca_file or settings.tls_cert_file:
        tls = Tls(*(Path(name) if name else None for name in _tls_files(settings)))
    token_file = settings.token_file or (str(local.admin_secret) if local else "")
    token = settings.token or (SecretFile(Path(token_file)).first if token_file else "")
    token_metadata(token, addresses=[address], is_encrypted=tls is not None)
    return Credentials(tls, lambda: token)


def _tls_files(settings: Settings) -> tuple[str, str, str]:
    return settings.tls_ca_file, settings.tls_cert_file, settings.tls_key_file
