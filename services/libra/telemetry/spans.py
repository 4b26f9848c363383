"""The names of all spans: package, then operation."""

from __future__ import annotations

from typing import Final

DISPATCH_SEND: Final = "dispatch.send"
"""One batch of trials is published; this starts the trace of its trials."""

STAGE_HANDLE: Final = "stage.handle"
"""A stage handles one batch."""

GATEWAY_REQUEST: Final = "gateway.request"
"""One request to a provider; a retry has its own span."""

RPC_CALL: Final = "rpc.call"
"""A call of another service, on the client's side."""

RPC_SERVE: Final = "rpc.serve"
"""A call, on the server's side."""
