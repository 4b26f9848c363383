"""The TLS files of clients and servers, which are read again when they change."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import grpc
import structlog

from libra.core.errors import Invalid
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

FileStamp = tuple[tuple[int, int, int], ...]
"""Inode, time of the last change in nanoseconds, and size in bytes of each file."""


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of a client's connection, all PEM."""

    authorities: Path | None = None
    """The certificates of the authorities that sign the services' certificates; None: those of gRPC."""

    certificate: Path | None = None
    """The client's own certificate chain, for mutual TLS."""

    key: Path | None = None
    """The private key of `certificate`."""

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """Read the files. Raises Invalid for a file that cannot be read, or a certificate without its key."""
        if self.certificate and self.key:
            _check_pair(self.certificate, self.key)
        elif self.certificate or self.key:
            raise Invalid("mutual TLS needs both a certificate and its key", field="tls")
        return grpc.ssl_channel_credentials(_read(self.authorities), _read(self.key), _read(self.certificate))

    def stamp(self) -> FileStamp:
        """Return a value that changes when one of the files is replaced."""
        return _stamp(filter(None, (self.authorities, self.certificate, self.key)))


@dataclass(frozen=True, slots=True)
class ServerTls:
    """The files of a server, all PEM."""

    certificate: Path
    """The server's certificate chain."""

    key: Path
    """The private key of `certificate`."""

    client_authorities: Path | None = None
    """The certificates of the authorities that sign the certificates of callers; None: callers need no certificate."""

    def server_credentials(self) -> grpc.ServerCredentials:
        """Return credentials that serve changed files from the next connection on, without a restart.

        Raises Invalid for files that cannot be used now. If files that change later cannot be used, the server keeps
        the ones that it has and logs a warning.
        """
        fetcher = CertificateFetcher(self)
        return grpc.dynamic_ssl_server_credentials(
            fetcher.load(), fetcher.load_if_changed, require_client_authentication=self.client_authorities is not None
        )

    def context(self) -> ssl.SSLContext:
        """Return the context of a server that is not one of gRPC; raise Invalid for files that cannot be used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _load_pair(context, self.certificate, self.key)
        if self.client_authorities:
            context.verify_mode = ssl.CERT_REQUIRED
            try:
                context.load_verify_locations(self.client_authorities)
            except OSError as error:
                raise Invalid(f"the TLS file {self.client_authorities} cannot be used: {error}", field="tls") from error
        return context

    def stamp(self) -> FileStamp:
        """Return a value that changes when one of the files is replaced."""
        return _stamp(filter(None, (self.certificate, self.key, self.client_authorities)))


class ContextLoader:
    """Keeps the context of a server, and loads it again when the files have changed. Any thread may call it."""

    def __init__(self, files: ServerTls) -> None:
        """Load the files; raise Invalid if they cannot be used."""
        self._files, self._stamp, self._context = files, files.stamp(), files.context()

    def current(self) -> ssl.SSLContext:
        """Return the context of the next connection: the one of before while changed files cannot be used."""
        if (stamp := self._files.stamp()) != self._stamp:
            try:
                self._context, self._stamp = self._files.context(), stamp
            except Invalid as error:
                log.warning("the changed TLS files are not used", action=Action.TLS_REFUSED, reason=str(error))
        return self._context


class CertificateFetcher:
    """Loads the files of a server. gRPC calls `load_if_changed` for each new connection, in a thread of its own."""

    def __init__(self, files: ServerTls) -> None:
        self._files = files
        self._stamp: FileStamp = ()

    def load(self) -> grpc.ServerCertificateConfiguration:
        """Return the content of the files; raise Invalid."""
        files, stamp = self._files, self._files.stamp()
        _check_pair(files.certificate, files.key)
        content = grpc.ssl_server_certificate_configuration(
            [(_read(files.key), _read(files.certificate))], root_certificates=_read(files.client_authorities)
        )
        self._stamp = stamp
        return content

    def load_if_changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Return the content of changed files; None to keep the present one."""
        if self._files.stamp() == self._stamp:
            return None
        try:
            return self.load()
        except Invalid as error:
            log.warning("the changed TLS files are not used", action=Action.TLS_REFUSED, reason=str(error))
            return None


def _check_pair(certificate: Path, key: Path) -> None:
    """Raise Invalid unless the key belongs to the certificate: one of the two may not have been replaced yet."""
    _load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, key)


def _load_pair(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key, password=_refuse_password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        files = f"the certificate {certificate} and the key {key}"
        raise Invalid(f"{files} cannot be used: {reason}", field="tls") from error


def _refuse_password() -> str:
    raise ValueError("the key is encrypted; give an unencrypted one")


def _stamp(paths: Iterable[Path]) -> FileStamp:
    return tuple(_file_stamp(path) for path in paths)


def _file_stamp(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def _read(path: Path | None) -> bytes | None:
    try:
        return path.read_bytes() if path else None
    except OSError as error:
        raise Invalid(f"the TLS file {path} cannot be read: {error.strerror}", field="tls") from error
