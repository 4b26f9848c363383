"""Checks whether a part is ready, over gRPC, HTTP or TCP."""

from __future__ import annotations

import http.client
import socket
from http import HTTPStatus
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from libra.local.topology import HOST
from libra.rpc.health import REASON_KEY
from libra.rpc.tls import Tls

TIMEOUT_SECONDS = 2.0


def is_serving(port: int, authorities: Path | None = None) -> bool:
    """Return whether the service on this `port` of this machine reports SERVING to a gRPC health check.

    `authorities` are those of its certificate; None: it has no TLS.
    """
    with _channel(port, authorities) as channel:
        try:
            response = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=TIMEOUT_SECONDS
            )
        except grpc.RpcError:
            return False
    return bool(response.status == health_pb2.HealthCheckResponse.SERVING)


def not_ready_reason(port: int, authorities: Path | None = None) -> str:
    """Return why the service on this `port` of this machine is not ready; "" if it is ready or does not say why."""
    with _channel(port, authorities) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        try:
            _, call = check.with_call(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_SECONDS)
        except grpc.RpcError:
            return ""
    reason: bytes = dict(call.trailing_metadata()).get(REASON_KEY, b"")
    return reason.decode(errors="replace")


def accepts_connections(port: int) -> bool:
    """Return whether a process accepts TCP connections on this `port` of this machine."""
    try:
        with socket.create_connection((HOST, port), TIMEOUT_SECONDS):
            return True
    except OSError:
        return False


def answers_http(port: int) -> bool:
    """Return whether the process on this `port` of this machine answers GET /healthz."""
    connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _channel(port: int, authorities: Path | None) -> Any:
    address = f"{HOST}:{port}"
    if authorities is None:
        return grpc.insecure_channel(address)
    return grpc.secure_channel(address, Tls(authorities).channel_credentials())
