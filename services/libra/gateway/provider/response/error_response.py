"""Reads responses that report an error: a status other than 200, or an error in a response with status 200.

The same for all providers: a block is an answer, everything else a fault with its remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

from libra.core.http.retry_after import retry_after
from libra.gateway.provider.response.block_status import block_of_status
from libra.gateway.provider.response.dialects import CONTEXT_LENGTH
from libra.gateway.provider.response.error_text import error_message, error_of, quote, shorten
from libra.gateway.provider.response.response_class import Block, reported_block
from libra.gateway.provider.response.wait_times import named_wait
from libra.gateway.provider.result import BlockCause, FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.v1 import completion_pb2 as pb
from libra.v1.model_pb2 import Model

NO_BLOCK_STATUSES = frozenset({401, 402, 404, 405, 407, 408, 413, 429})
"""Statuses that speak of the caller, the URL or the rate, whatever words come with them."""

STATUS_OF_CODE = {
    "rate_limit_exceeded": HTTPStatus.TOO_MANY_REQUESTS,
    "insufficient_quota": HTTPStatus.TOO_MANY_REQUESTS,
    "server_error": HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status that OpenAI sends with a code, for codes in a response with status 200."""

QUOTA_REMEDY = "top it up, or wait until the provider grants more"
PASSING_STATUSES = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY})
FINAL_STATUSES = frozenset({HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED})


def read_error(
    status: int, headers: Mapping[str, str], document: object, body: bytes, model: Model, key: str
) -> ProviderResult:
    """Return the result of a status other than 200."""
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if status >= HTTPStatus.BAD_REQUEST and status not in NO_BLOCK_STATUSES:
        readable = document if document is not None else quote(body, "", shown_characters=None)
        if block := reported_block(readable):
            return blocked_answer(block, key)
    message = error_message(document, body, key)
    retry_after_seconds = retry_after(headers, datetime.now(UTC))
    if retry_after_seconds is None:
        retry_after_seconds = named_wait(headers, document, datetime.now(UTC))
    cause = block_of_status(status, document)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        if cause is BlockCause.QUOTA:
            return ProviderFault(
                f"the account at the provider has no quota left (429): {message}; {QUOTA_REMEDY}",
                FaultKind.FINAL,
                retry_after_seconds,
                block=cause,
            )
        return ProviderFault(
            f"the provider says to slow down (429): {message}", FaultKind.SLOW_DOWN, retry_after_seconds
        )
    if status in PASSING_STATUSES or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in FINAL_STATUSES):
        return ProviderFault(
            f"the provider failed ({_status_text(status)}): {message}", FaultKind.PASSING, retry_after_seconds
        )
    return ProviderFault(_final_reason(status, headers, message, model, key), FaultKind.FINAL, block=cause)


def blocked_answer(block: Block, key: str) -> ProviderAnswer:
    """Return the answer that a block stands for."""
    return ProviderAnswer(
        "",
        pb.FINISH_REASON_CONTENT_FILTER,
        response_class=block.response_class,
        category=shorten(block.category, key),
        words=shorten(block.words, key),
    )


def _final_reason(status: int, headers: Mapping[str, str], message: str, model: Model, key: str) -> str:
    """Return the reason for a status that the same request would get again."""
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN if model.api_key_env or model.api_key_file:
            source = f"environment variable {model.api_key_env}" if model.api_key_env else f"file {model.api_key_file}"
            remedy = f"check the {source} of the gateway"
            return f"the provider does not accept the API key ({_status_text(status)}): {message}; {remedy}"
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            remedy = "set api_key_env of the model to the environment variable that holds the key"
            return f"the provider requires an API key ({_status_text(status)}): {message}; {remedy}"
        case HTTPStatus.NOT_FOUND:
            remedy = "check remote_model and base_url of the model"
            return f"the provider knows no such model or URL ({_status_text(status)}): {message}; {remedy}"
        case _ if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            target = shorten(headers.get("location", "another URL"), key)
            remedy = "set base_url of the model to the right URL"
            return f"the provider redirects to {target} ({_status_text(status)}); {remedy}"
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            remedy = "shorten the prompts, or raise the limit of the server or its proxy"
            return f"the provider takes no request of this size ({_status_text(status)}): {message}; {remedy}"
        case _:
            remedy = "; top up the account" if status == HTTPStatus.PAYMENT_REQUIRED else length_remedy(message)
            return f"the provider refused the request ({_status_text(status)}): {message}{remedy}"


def length_remedy(message: str) -> str:
    """Return the remedy if the request was too long for the model, to follow the provider's message; else nothing."""
    return "; lower max_tokens or shorten the prompt" if CONTEXT_LENGTH.search(message) else ""


def inner_status(document: object) -> int | None:
    """Return the status that the error in a response with status 200 names; None if it names none."""
    error = error_of(document)
    found = [error.get(name) for name in ("code", "status", "status_code")] if isinstance(error, dict) else []
    for code in found:
        if isinstance(code, str) and code in STATUS_OF_CODE:
            return STATUS_OF_CODE[code]
        number = int(code) if isinstance(code, str) and code.isdecimal() and len(code) == 3 else code  # noqa: PLR2004 - digits
        if isinstance(number, int) and HTTPStatus.BAD_REQUEST <= number <= 599:  # noqa: PLR2004 - the highest status
            return number
    return None


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
