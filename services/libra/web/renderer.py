"""Renders templates: the context that every page has, and the filters that show numbers and text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from libra.cli.render import format as text_format
from libra.cli.render.sanitize import sanitize
from libra.core.errors import (
    CallerError,
    Conflict,
    FailedPrecondition,
    Invalid,
    LimitReached,
    NotFound,
    PermissionDenied,
)
from libra.web import links, static_files
from libra.web.keys import ACCESS, NONCE
from libra.web.navigation import ENTRIES
from libra.web.security.visitor import TOKEN_FIELD, form_token, set_cookie

FILTERS: dict[str, Callable[..., str]] = {
    "percent": text_format.percent,
    "score": text_format.score_percent,
    "interval": text_format.score_interval,
    "points": text_format.signed_points,
    "points_interval": text_format.signed_interval,
    "p_value": text_format.p_value,
    "count": text_format.short_count,
    "dollars": text_format.dollars,
    "duration": text_format.short_duration,
    "minute": lambda timestamp: text_format.utc_time(timestamp, "minute"),
    "day": lambda timestamp: text_format.utc_time(timestamp, "day"),
    "clean": sanitize,
    "model_path": links.model_path,
    "run_path": links.run_path,
    "round_path": links.round_path,
    "battle_path": links.battle_path,
    "words": lambda name: name.replace("_", " "),
}
"""`clean` shows control characters and characters that change the direction of text: use it on text from models, people
and tasks. Autoescape does the rest."""


STATUSES: dict[type[CallerError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Invalid: HTTPStatus.BAD_REQUEST,
    Conflict: HTTPStatus.CONFLICT,
    FailedPrecondition: HTTPStatus.CONFLICT,
    PermissionDenied: HTTPStatus.FORBIDDEN,
    LimitReached: HTTPStatus.TOO_MANY_REQUESTS,
}


def page_context(request: web.Request) -> dict[str, Any]:
    """Return what every template may use."""
    return {
        "path": request.path,
        "navigation": ENTRIES,
        "nonce": request.get(NONCE, ""),
        "static": static_files.url,
        "shows_transcripts": request.app[ACCESS].shows_transcripts,
    }


def render(
    request: web.Request, template: str, values: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK
) -> web.Response:
    """Return the page."""
    context = {**page_context(request), **values}
    response = aiohttp_jinja2.render_template(template, request, context, status=int(status))
    response.headers["Content-Language"] = "en"
    return response


def render_form(
    request: web.Request, template: str, values: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK
) -> web.Response:
    """Return a page with forms: it carries the form token, and gives the visitor the cookie."""
    token = {"token_field": TOKEN_FIELD, "token": form_token(request)}
    response = render(request, template, {**values, **token}, status)
    set_cookie(request, response)
    return response


def status_of(error: CallerError) -> HTTPStatus:
    """Return the HTTP status of an error of the caller."""
    return next((status for kind, status in STATUSES.items() if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)
