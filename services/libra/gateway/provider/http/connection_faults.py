"""Says why a request got no response: what happened, at which host, and the remedy."""

from __future__ import annotations

import errno
import socket
import ssl
import zlib
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp.http import HttpProcessingError

from libra.core.http.address_policy import AddressRefused
from libra.core.http.body import TooLong
from libra.gateway.provider.http.block_cause import block_cause
from libra.gateway.provider.http.endpoint import HttpEndpoint
from libra.gateway.provider.http.proxied_client import ProxyRefused
from libra.gateway.provider.http.tls import CA_FILE, CERT_FILE
from libra.gateway.provider.result import BlockCause, FaultKind, ProviderFault

EXPECTED = (
    TooLong,
    ProxyRefused,
    AddressRefused,
    ValueError,
    aiohttp.ClientError,
    HttpProcessingError,
    OSError,
    zlib.error,
)
"""The exceptions that `connection_fault` explains."""

TLS_ALERT = "\\x15\\x03"
"""The first two bytes of an alert of TLS, as aiohttp quotes them when it expects HTTP."""

NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})
"""OpenSSL's reasons when a server answers a handshake with something else than TLS."""

CERTIFICATE_WANTED = ("CERTIFICATE_REQUIRED", "SSLV3_ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA")
"""Parts of OpenSSL's reasons when a server does not accept the client's certificate, or that there is none."""

CERTIFICATE_REMEDIES = {
    10: "the server needs a new certificate",
    62: "use the host that the certificate names in base_url",
    64: "use the host that the certificate names in base_url",
}
"""By OpenSSL's code X509_V_ERR_*: expired, another name, another address."""


def connection_fault(error: BaseException, endpoint: HttpEndpoint, timeout_seconds: float) -> ProviderFault:
    """Return the fault for an exception of EXPECTED."""
    if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError):
        return ProviderFault(f"no answer within {timeout_seconds:g} s", FaultKind.TIMEOUT)
    explain = next(explain for types, explain in EXPLANATIONS if isinstance(error, types))
    fault = explain(error, endpoint)
    return fault if fault.block else replace(fault, block=block_cause(error))


def is_hang_up(error: BaseException) -> bool:
    """Return whether the server closed the connection without a word, as one does that expects TLS."""
    reset = isinstance(error, OSError) and error.errno == errno.ECONNRESET
    return reset or isinstance(error, aiohttp.ServerDisconnectedError)


def tls_port_fault(endpoint: HttpEndpoint) -> ProviderFault:
    """Return the fault for plain HTTP that was sent to a port which speaks TLS."""
    right = endpoint.with_scheme("https").origin()
    return _wrong_scheme(f"{endpoint.address} speaks TLS: use {right} in place of {endpoint.url.origin()} in base_url")


def _refused_address(error: Any, endpoint: HttpEndpoint) -> ProviderFault:
    return _final(f"{endpoint.address} cannot be used: {error}")


def _no_connection_in_time(_error: Any, endpoint: HttpEndpoint) -> ProviderFault:
    return _passing(f"no connection to {_via(endpoint)} in time; check the URL, and firewalls and proxies")


def _too_long(_error: Any, _endpoint: HttpEndpoint) -> ProviderFault:
    return _final("the provider's answer is longer than 4 MiB; the rest was not read")


def _invalid_url(error: Any, endpoint: HttpEndpoint) -> ProviderFault:
    return _final(f"{endpoint.address} cannot be used: {_text(error)}")


def _failed_connection(error: Any, endpoint: HttpEndpoint) -> ProviderFault:
    if isinstance(error, HttpProcessingError) and TLS_ALERT in str(error):
        return tls_port_fault(endpoint)
    if is_hang_up(error) and endpoint.url.scheme == "https" and not endpoint.has_answered:
        # With TLS 1.3, a server refuses a certificate after the handshake.
        remedy = f"if it wants a client certificate, set {CERT_FILE} of the gateway"
        return _passing(f"{endpoint.address} closed the connection without a response; {remedy}")
    return _passing(f"the connection to {_via(endpoint)} failed: {_text(error)}")


def _certificate_fault(error: Any, endpoint: HttpEndpoint) -> ProviderFault:
    cause = error.certificate_error
    reason = getattr(cause, "verify_message", "") or _text(cause)
    own_ca = f"if a CA of your own has signed it, set {CA_FILE} of the gateway to the CA's certificate"
    remedy = CERTIFICATE_REMEDIES.get(getattr(cause, "verify_code", 0), own_ca)
    return _final(f"the certificate of {endpoint.address} is not accepted ({reason}); {remedy}")


def _name_fault(error: Any, endpoint: HttpEndpoint) -> ProviderFault:
    host = endpoint.proxy.url.host if endpoint.proxy else endpoint.url.host
    if error.os_error.errno == socket.EAI_AGAIN:
        return _passing(f"the name server does not answer for {host}; check the gateway's DNS")
    where = "the proxy variables" if endpoint.proxy else "base_url"
    return _passing(f"there is no host {host}; correct {where}, or the gateway's DNS")


def _tls_fault(error: Any, endpoint: HttpEndpoint) -> ProviderFault:
    cause = getattr(error, "os_error", error)
    reason = str(getattr(cause, "reason", "") or cause)
    if reason in NO_TLS:
        right = endpoint.with_scheme("http").origin()
        wrong = endpoint.url.origin()
        return _wrong_scheme(f"{endpoint.address} speaks no TLS: use {right} in place of {wrong} in base_url")
    if any(part in reason for part in CERTIFICATE_WANTED):
        return _final(f"{endpoint.address} wants another client certificate ({reason}); set {CERT_FILE} of the gateway")
    return _passing(f"the TLS connection to {endpoint.address} failed: {_text(error)}")


def _system_fault(error: Any, endpoint: HttpEndpoint) -> ProviderFault:
    if error.errno == errno.ECONNREFUSED:
        return _passing(f"nobody listens at {endpoint.address}; start the server or correct the URL")
    if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return _passing(f"there is no route to {endpoint.address}; check the URL and the gateway's network")
    return _failed_connection(error, endpoint)


def _proxy_fault(error: Any, endpoint: HttpEndpoint) -> ProviderFault:
    proxy = endpoint.proxy.url if endpoint.proxy else ""
    status = HTTPStatus.PROXY_AUTHENTICATION_REQUIRED if isinstance(error, ProxyRefused) else _status(error)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return _final(f"the proxy {proxy} wants a user and a password (407); write them into the URL of the proxy")
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _final(f"the proxy {proxy} does not connect to {endpoint.address} ({status}); allow the host there")
    if status:
        return _passing(f"the proxy {proxy} has no connection to {endpoint.address} ({status})")
    return _passing(
        f"the proxy {proxy} cannot be reached ({_text(error)}); correct HTTPS_PROXY, HTTP_PROXY or NO_PROXY"
    )


def _status(error: Any) -> int:
    return error.status if isinstance(error, aiohttp.ClientHttpProxyError) else 0


def _via(endpoint: HttpEndpoint) -> str:
    return f"{endpoint.address} by the proxy {endpoint.proxy.url}" if endpoint.proxy else endpoint.address


def _wrong_scheme(reason: str) -> ProviderFault:
    return ProviderFault(reason, FaultKind.FINAL, block=BlockCause.CERTIFICATE)


def _final(reason: str) -> ProviderFault:
    return ProviderFault(reason, FaultKind.FINAL)


def _passing(reason: str) -> ProviderFault:
    return ProviderFault(reason, FaultKind.PASSING)


def _text(error: BaseException) -> str:
    """Return the name and message of an exception. Never its repr: aiohttp's shows the request's headers."""
    return f"{type(error).__name__}: {error}"


EXPLANATIONS: tuple[tuple[Any, Callable[[Any, HttpEndpoint], ProviderFault]], ...] = (
    (AddressRefused, _refused_address),
    (aiohttp.ConnectionTimeoutError, _no_connection_in_time),
    (TooLong, _too_long),
    ((ProxyRefused, aiohttp.ClientHttpProxyError, aiohttp.ClientProxyConnectionError), _proxy_fault),
    (aiohttp.ClientConnectorCertificateError, _certificate_fault),
    (aiohttp.ClientConnectorDNSError, _name_fault),
    ((ssl.SSLError, aiohttp.ClientConnectorSSLError), _tls_fault),
    (OSError, _system_fault),  # aiohttp's errors of the operating system, too
    (ValueError, _invalid_url),
    (Exception, _failed_connection),
)
"""The first that fits explains an exception."""
