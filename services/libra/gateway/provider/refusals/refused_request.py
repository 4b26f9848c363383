"""Adds to a fault what the endpoint refuses: an adjustment that helps, or the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import orjson

from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.refusals.refused_parameters import refused_option, refused_parameter
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.response.error_text import error_of, quote, shorten
from libra.gateway.provider.result import ProviderFault

MAX_WORDS = 200
"""Characters of the words of an adjustment."""


def with_refusal(
    fault: ProviderFault, response: HttpResponse, request: CompletionRequest, sent: Mapping[str, Any], key: str
) -> ProviderFault:
    """Return the fault of a response, with the adjustment that it calls for or the option that the endpoint refuses."""
    error = _error(response)
    if error is None:
        return fault
    if adjustment := refused_parameter(response.status, error, request, sent):
        adjustment.words = shorten(adjustment.words, key)[:MAX_WORDS]
        return replace(fault, adjustment=adjustment)
    remedy = refused_option(response.status, error, request.model.options)
    return replace(fault, reason=fault.reason + remedy) if remedy else fault


def _error(response: HttpResponse) -> object:
    """Return the error as JSON or text; None if the response is not one."""
    try:
        document = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return quote(response.body, "", shown_characters=None) if response.status != HTTPStatus.OK else None
    return error_of(document) if response.status == HTTPStatus.OK else document
