"""Exit 0 if the gRPC server at the address given says that it is serving, 1 if not: what a container is probed with."""

from __future__ import annotations

import sys

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

TIMEOUT_SECONDS = 3.0


def problem(address: str) -> str:
    """Return what stands in the way of the server at "host:port"; empty if nothing does."""
    with grpc.insecure_channel(address) as channel:
        try:
            answer = HealthStub(channel).Check(HealthCheckRequest(), timeout=TIMEOUT_SECONDS)
        except grpc.RpcError as error:
            return f"{address} does not answer: {error.code().name}"
    return "" if answer.status == HealthCheckResponse.SERVING else f"{address} is not ready"


if __name__ == "__main__":
    sys.exit(problem(sys.argv[1]) or 0)
