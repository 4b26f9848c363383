"""TLS of requests: trusted CAs and a client certificate."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from libra.core.settings import InvalidSettings

CA_FILE, CERT_FILE, KEY_FILE = (f"LIBRA_GATEWAY_{name}" for name in ("CA_FILE", "CLIENT_CERT_FILE", "CLIENT_KEY_FILE"))


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files in PEM form; an empty path for none."""

    ca: str = ""
    """CAs in addition to those of the system, or of SSL_CERT_FILE and SSL_CERT_DIR."""

    client_cert: str = ""
    client_key: str = ""
    """Empty: the key is in `client_cert`."""


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """Return the context of every connection. Raises InvalidSettings that names the variable at fault."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if files.ca:
        _load_ca(context, files.ca)
    if files.client_cert:
        _load_client_cert(context, files)
    elif files.client_key:
        raise InvalidSettings(f"{KEY_FILE} is set without {CERT_FILE}; set both")
    return context


def _load_ca(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except (OSError, ssl.SSLError) as error:  # an SSLError is an OSError, and its text is all that it says
        raise InvalidSettings(f"{CA_FILE}={path!r} cannot be read as certificates in PEM form: {error}") from None


def _load_client_cert(context: ssl.SSLContext, files: TlsFiles) -> None:
    try:
        context.load_cert_chain(files.client_cert, files.client_key or None, password=_refuse_password)
    except (OSError, ssl.SSLError, _Encrypted) as error:
        raise InvalidSettings(
            f"{CERT_FILE}={files.client_cert!r} and {KEY_FILE}={files.client_key!r} cannot be read as a certificate "
            f"with its private key in PEM form: {error}"
        ) from None


class _Encrypted(Exception):
    """The private key has a password."""


def _refuse_password() -> str:
    """Raise an error, because OpenSSL would ask for the password on the terminal."""
    raise _Encrypted("the private key has a password; store it without one, readable for the gateway only")
