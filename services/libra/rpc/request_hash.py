"""The hash of a request, by which a repeat is told from another request with the same request_id."""

from __future__ import annotations

import hashlib
import json

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message


def hash_request(request: Message) -> str:
    """Return the SHA-256, in hex digits, of all fields of the request except `request_id`.

    It is computed from JSON with sorted keys: the bytes of a protobuf message may differ between versions of the
    library, and fields that only a newer replica knows must not make a repeat a conflict.
    """
    fields = MessageToDict(request, preserving_proto_field_name=True)
    fields.pop("request_id", None)
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
