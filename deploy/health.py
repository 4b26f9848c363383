"""Health check of a container: exit 0 if the gRPC server at the given address is serving, 1 if it is not."""

from __future__ import annotations

import sys

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

TIMEOUT_SECONDS = 3.0


def find_problem(address: str) -> str:
    """Return why the server at "host:port" is not serving; empty if it is."""
    with grpc.insecure_channel(address) as channel:
        try:
            response = HealthStub(channel).Check(HealthCheckRequest(), timeout=TIMEOUT_SECONDS)
        except grpc.RpcError as error:
            return f"{address} does not answer: {error.code().name}"
    return "" if response.status == HealthCheckResponse.SERVING else f"{address} is not ready"


if __name__ == "__main__":
    sys.exit(find_problem(sys.argv[1]) or 0)
