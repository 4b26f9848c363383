"""Reads responses with status 200 that contain no answer: a block, an error, or something else than JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libra.gateway.provider.response.dialects import CONTEXT_LENGTH
from libra.gateway.provider.response.error_response import blocked_answer, inner_status, length_remedy, read_error
from libra.gateway.provider.response.error_text import error_message, error_of, quote, replace_surrogates
from libra.gateway.provider.response.response_class import reported_block
from libra.gateway.provider.response.response_text import parsed
from libra.gateway.provider.result import FaultKind, ProviderFault, ProviderResult
from libra.v1.model_pb2 import Model


def object_of(document: object) -> dict[str, Any] | None:
    """Return the JSON object of a body, also from within a JSON text or a list of one; None if it is none."""
    if isinstance(document, str):
        document = parsed(replace_surrogates(document).encode())
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    return document if isinstance(document, dict) else None


def read_no_answer(
    headers: Mapping[str, str], document: dict[str, Any] | None, body: bytes, model: Model, key: str
) -> ProviderResult:
    """Return the result of a response with status 200 in which the adapter found no answer."""
    if document is None:
        remedy = "check base_url of the model"
        return _unreadable(f"the provider answered 200, but not with JSON: {quote(body, key)}; {remedy}")
    is_error = bool(error_of(document))
    if block := reported_block(document, by_words=is_error):
        return blocked_answer(block, key)
    if not is_error:
        remedy = "check the provider and base_url of the model"
        return _unreadable(f"the provider answered 200 without an answer: {quote(body, key)}; {remedy}")
    status = inner_status(document)
    if status is not None:
        return read_error(status, headers, document, body, model, key)
    message = error_message(document, body, key)
    kind = FaultKind.FINAL if CONTEXT_LENGTH.search(message) else FaultKind.UNREADABLE
    return ProviderFault(f"the provider answered 200 with an error: {message}{length_remedy(message)}", kind)


def _unreadable(reason: str) -> ProviderFault:
    return ProviderFault(reason, FaultKind.UNREADABLE)
