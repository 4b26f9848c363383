"""Limits of a connection that client and server share, as gRPC channel arguments."""

from __future__ import annotations

from typing import Final

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""A batch has at most half a megabyte, a page of 500 samples rarely more than one, the largest sample two."""

MAX_METADATA_BYTES: Final = 32 * 1024
"""Error messages are sent in metadata, twice, once percent-encoded: MAX_MESSAGE_CHARACTERS of any script fit."""

MAX_MESSAGE_CHARACTERS: Final = 1500
"""Longer error messages are truncated: they may quote the caller's input, which may be a megabyte."""

KEEPALIVE_SECONDS: Final = 30
"""Interval of a client's keepalive pings on an idle connection."""

COMMON_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_metadata_size", MAX_METADATA_BYTES),
    ("grpc.absolute_max_metadata_size", 2 * MAX_METADATA_BYTES),
    # Services call each other directly. HTTPS_PROXY is for requests to models.
    ("grpc.enable_http_proxy", 0),
)
