"""Tells responses that other requests to the model would get as well from those to one request."""

from __future__ import annotations

import re
from http import HTTPStatus

from libra.gateway.provider.response.error_text import error_of
from libra.gateway.provider.response.quoted_json import objects_and_texts
from libra.gateway.provider.result import BlockCause

CODES = {
    BlockCause.QUOTA: {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "credit_balance_too_low",
        "insufficient_balance",
        "quota_exceeded",
    },
    BlockCause.KEY: {"invalid_api_key", "api_key_invalid", "authentication_error", "account_deactivated"},
    BlockCause.UNKNOWN_MODEL: {"model_not_found", "deploymentnotfound"},
}
"""Codes, types and reasons of errors, in small letters."""

STATUSES = {
    HTTPStatus.UNAUTHORIZED: BlockCause.KEY,
    HTTPStatus.FORBIDDEN: BlockCause.KEY,
    HTTPStatus.PAYMENT_REQUIRED: BlockCause.QUOTA,
    HTTPStatus.NOT_FOUND: BlockCause.UNKNOWN_MODEL,
}

NO_CREDIT = re.compile(
    r"credit balance is too low|(?:insufficient|not enough|out of|no) (?:credits?|balance|funds)|insufficient[_ ]quota",
    re.IGNORECASE,
)
DAILY = re.compile(
    r"""\b(?:requests?|tokens?|quotas?|limits?)\b [\w' -]{0,40} \b(?:per|a|each)[ _-]day\b
    | \bdaily\b [\w' -]{0,30} \b(?:quota|limit) | \bper[-_]day\b | PerDay""",
    re.IGNORECASE | re.VERBOSE,
)
"""A quota of a day, in the words of an error or in the id of a quota."""


def block_of_status(status: int, document: object) -> BlockCause | None:
    """Return why other requests would get the same response; None if it may be due to this request."""
    for cause, codes in CODES.items():
        if _codes(document) & codes:
            return cause
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return BlockCause.QUOTA if _has_words(document, DAILY) or _has_words(document, NO_CREDIT) else None
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return BlockCause.UNKNOWN_MODEL
    if status == HTTPStatus.BAD_REQUEST and _has_words(document, NO_CREDIT):
        return BlockCause.QUOTA
    return STATUSES.get(HTTPStatus(status)) if status in STATUSES else None


def _codes(document: object) -> set[str]:
    """Return the codes and types of the error, and the reasons in its details."""
    error = error_of(document)
    if not isinstance(error, dict):
        return set()
    named = [error.get("code"), error.get("type"), error.get("status")]
    details = error.get("details")
    if isinstance(details, list):
        named += [detail.get("reason") for detail in details if isinstance(detail, dict)]
    return {code.lower() for code in named if isinstance(code, str)}


def _has_words(document: object, words: re.Pattern[str]) -> bool:
    return any(isinstance(text, str) and words.search(text) for _, text in objects_and_texts(error_of(document)))
