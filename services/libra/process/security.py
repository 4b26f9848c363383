"""The TLS and access settings of a process, for its callers and for the services that it calls."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from libra.core.errors import Invalid
from libra.core.settings import InvalidSettings
from libra.process.settings import CommonSettings
from libra.rpc.credential_channel import Credentials
from libra.rpc.peer import is_loopback_host, is_loopback_target
from libra.rpc.secret_file import SecretFile
from libra.rpc.tls import ContextLoader, ServerTls, Tls


def require_protection(settings: CommonSettings) -> None:
    """Raise InvalidSettings if other machines could call the process without TLS and authentication.

    LIBRA_ALLOW_REMOTE=without-access-control allows it.
    """
    has_authentication = settings.access == "tokens" or bool(settings.tls_client_ca_file)
    is_protected = bool(settings.tls_cert_file) and has_authentication
    host = settings.listen.rpartition(":")[0]
    if is_protected or settings.allow_remote != "no" or is_loopback_host(host):
        return
    raise InvalidSettings(
        f"other machines reach {settings.listen}, and without TLS and authentication every one of them may call: "
        "set LIBRA_TLS_CERT_FILE, LIBRA_TLS_KEY_FILE and LIBRA_ACCESS=tokens, or listen on 127.0.0.1, or set "
        "LIBRA_ALLOW_REMOTE=without-access-control if the network lets nobody else connect"
    )


def server_tls(settings: CommonSettings) -> ServerTls | None:
    """Return the TLS files of the server; None if it has none. Raises InvalidSettings if one is missing."""
    if not settings.tls_cert_file and not settings.tls_key_file:
        if settings.tls_client_ca_file:
            raise InvalidSettings("LIBRA_TLS_CLIENT_CA_FILE needs LIBRA_TLS_CERT_FILE and LIBRA_TLS_KEY_FILE")
        return None
    if not (settings.tls_cert_file and settings.tls_key_file):
        raise InvalidSettings("TLS needs both LIBRA_TLS_CERT_FILE and LIBRA_TLS_KEY_FILE")
    return ServerTls(Path(settings.tls_cert_file), Path(settings.tls_key_file), _path(settings.tls_client_ca_file))


def metrics_tls(settings: CommonSettings) -> Callable[[], ssl.SSLContext] | None:
    """Return the TLS context of /metrics; None for plain text. Raises InvalidSettings."""
    if settings.metrics_tls == "off":
        return None
    files = server_tls(settings)
    if files is None:
        raise InvalidSettings("LIBRA_METRICS_TLS=on needs LIBRA_TLS_CERT_FILE and LIBRA_TLS_KEY_FILE")
    try:
        return ContextLoader(files).current
    except Invalid as error:
        raise InvalidSettings(str(error)) from error


def secret_file(path: str, name: str) -> SecretFile | None:
    """Return the secrets of the file that the variable `name` gives, None if it gives none. Raises InvalidSettings."""
    try:
        return SecretFile(Path(path)) if path else None
    except Invalid as error:
        raise InvalidSettings(f"{name}: {error}") from error


def require_encryption(settings: CommonSettings, address: str) -> None:
    """Raise InvalidSettings if the secret of the services would be sent to `address` in plain text."""
    is_encrypted = bool(settings.tls_ca_file or settings.tls_cert_file)
    if settings.service_token_file and not is_encrypted and not is_loopback_target(address):
        raise InvalidSettings(
            f"the secret of LIBRA_SERVICE_TOKEN_FILE is not sent in plain text to {address}: set LIBRA_TLS_CA_FILE"
        )


def client_credentials(settings: CommonSettings) -> Credentials:
    """Return what the process shows to the services that it calls. Raises InvalidSettings."""
    tls = None
    if settings.tls_ca_file or settings.tls_cert_file:
        tls = Tls(_path(settings.tls_ca_file), _path(settings.tls_cert_file), _path(settings.tls_key_file))
    secrets = secret_file(settings.service_token_file, "LIBRA_SERVICE_TOKEN_FILE")
    return Credentials(tls, (lambda: secrets.first) if secrets else str)


def _path(text: str) -> Path | None:
    return Path(text) if text else None
