"""Checks whether a part is ready, over gRPC or TCP."""

from __future__ import annotations

import socket

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from libra.local.topology import HOST

TIMEOUT_SECONDS = 2.0


def is_serving(port: int) -> bool:
    """Return whether the service on this `port` of this machine reports SERVING to a gRPC health check."""
    with grpc.insecure_channel(f"{HOST}:{port}") as channel:
        try:
            response = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=TIMEOUT_SECONDS
            )
        except grpc.RpcError:
            return False
    return bool(response.status == health_pb2.HealthCheckResponse.SERVING)


def accepts_connections(port: int) -> bool:
    """Return whether a process accepts TCP connections on this `port` of this machine."""
    try:
        with socket.create_connection((HOST, port), TIMEOUT_SECONDS):
            return True
    except OSError:
        return False
