"""Health check of a container: exit 0 if the server at the given address is serving, 1 if it is not.

The address is "host:port" of a gRPC server, or the URL of an HTTP server.
"""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

TIMEOUT_SECONDS = 3.0


def find_problem(address: str) -> str:
    """Return why the server at the address is not serving; empty if it is."""
    return find_http_problem(address) if address.startswith("http://") else find_grpc_problem(address)


def find_http_problem(url: str) -> str:
    """Return why a request for this URL does not succeed; empty if it does."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS):
            return ""
    except (urllib.error.URLError, OSError) as error:
        return f"{url} does not answer: {error}"


def find_grpc_problem(address: str) -> str:
    """Return why the gRPC server at "host:port" is not serving; empty if it is."""
    with grpc.insecure_channel(address) as channel:
        try:
            response = HealthStub(channel).Check(HealthCheckRequest(), timeout=TIMEOUT_SECONDS)
        except grpc.RpcError as error:
            return f"{address} does not answer: {error.code().name}"
    return "" if response.status == HealthCheckResponse.SERVING else f"{address} is not ready"


if __name__ == "__main__":
    sys.exit(find_problem(sys.argv[1]) or 0)
