"""Recognises a visitor by a signed cookie, and the visitor's own forms by a token."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

from libra.web.access import is_loopback, split_host
from libra.web.keys import METRICS, SECRET, VISITOR
from libra.web.security.secret import is_signed, sign

COOKIE = "libra_visitor"
COOKIE_SECONDS = 180 * 86_400
ID_BYTES = 16
TOKEN_FIELD = "form_token"  # noqa: S105 - the name of a field
UNSAFE_METHODS = ("POST", "PUT", "PATCH", "DELETE")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def visitor_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Recognise or create the visitor, and refuse a form that a page of ours did not send."""
    known = read_visitor(request)
    request[VISITOR] = known or secrets.token_hex(ID_BYTES)
    if request.method in UNSAFE_METHODS:
        await check_form(request)
    return await handler(request)


def read_visitor(request: web.Request) -> str:
    """Return the visitor of the cookie; empty without one, or if its signature is wrong."""
    visitor, _, signature = request.cookies.get(COOKIE, "").partition(".")
    return visitor if visitor and is_signed(request.app[SECRET], "visitor", visitor, signature) else ""


def set_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """Give the visitor the cookie, unless the browser sent it. Call it for pages with a form."""
    visitor = request[VISITOR]
    if read_visitor(request) == visitor:
        return
    value = f"{visitor}.{sign(request.app[SECRET], 'visitor', visitor)}"
    is_secure = request.secure or not is_loopback(split_host(request.host))
    response.set_cookie(COOKIE, value, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=is_secure)


def form_token(request: web.Request) -> str:
    """Return the token that the forms of this visitor carry."""
    return sign(request.app[SECRET], "form", request[VISITOR])


async def check_form(request: web.Request) -> None:
    """Raise HTTPForbidden unless the request is a form of this visitor, sent by a page of ours."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    token = (await request.post()).get(TOKEN_FIELD, "")
    if site != "same-origin":
        reason = "foreign_site"
    elif not isinstance(token, str) or not is_signed(request.app[SECRET], "form", request[VISITOR], token):
        reason = "form_token"
    else:
        return
    metrics = request.app[METRICS]
    metrics.web_refusals.labels(reason=reason).inc()
    raise web.HTTPForbidden(
        text="The form was not sent by a page of this site, or it was opened before the site was restarted. Load the "
        "page again and repeat it; nothing was stored."
    )
