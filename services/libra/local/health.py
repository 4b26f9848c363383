"""Ask a part whether it does its work."""

from __future__ import annotations

import socket

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from libra.local.topology import HOST

ANSWER_SECONDS = 2.0


def serving(port: int) -> bool:
    """Tell whether the service on this machine's `port` says SERVING."""
    with grpc.insecure_channel(f"{HOST}:{port}") as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=ANSWER_SECONDS)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def listening(port: int) -> bool:
    """Tell whether anybody takes connections on this machine's `port`."""
    try:
        with socket.create_connection((HOST, port), ANSWER_SECONDS):
            return True
    except OSError:
        return False
