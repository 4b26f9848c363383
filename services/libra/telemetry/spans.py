"""The names of the spans: the room, then what it does."""

from __future__ import annotations

from typing import Final

DISPATCH_SEND: Final = "dispatch.send"
"""One batch of trials is put on the bus; it begins the trace of these trials."""

STAGE_HANDLE: Final = "stage.handle"
"""One batch is handled by one stage."""

GATEWAY_REQUEST: Final = "gateway.request"
"""One request to a provider; what is made again has a span of its own."""

RPC_CALL: Final = "rpc.call"
"""A call of another service, as its caller sees it."""

RPC_SERVE: Final = "rpc.serve"
"""A call, as the service that answers it sees it."""
