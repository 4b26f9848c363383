"""Limits that both ends of a connection know of, as gRPC's channel arguments."""

from __future__ import annotations

from typing import Final

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""A batch is half a megabyte, a page of 500 samples rarely more than one; the largest sample is two."""

MAX_METADATA_BYTES: Final = 32 * 1024
"""An error's message travels twice, once percent-encoded: MAX_MESSAGE_CHARACTERS of any script fit in."""

MAX_MESSAGE_CHARACTERS: Final = 1500
"""An error's message is cut behind this: it may quote what the caller sent, and that may be a megabyte."""

KEEPALIVE_SECONDS: Final = 30
"""A client asks this often whether an idle connection is still there."""

SHARED: Final = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_metadata_size", MAX_METADATA_BYTES),
    ("grpc.absolute_max_metadata_size", 2 * MAX_METADATA_BYTES),
)
