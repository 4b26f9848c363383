"""Sends with every response what a browser must not do with it, and refuses requests under a foreign name."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

from libra.web.keys import ACCESS, METRICS, NONCE

NONCE_BYTES = 16

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def content_security_policy(nonce: str) -> str:
    """Return the policy of a page: its own files only, no inline script or style, no frames.

    The style sheet draws its arrows and check marks with `data:` images. Only script elements with the nonce run.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


@web.middleware
async def header_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request a nonce, and refuse one for a name that is not ours."""
    request[NONCE] = secrets.token_urlsafe(NONCE_BYTES)
    if not request.app[ACCESS].accepts_host(request.host):
        metrics = request.app[METRICS]
        metrics.web_refusals.labels(reason="host").inc()
        raise web.HTTPMisdirectedRequest(
            text="These pages are not reached under this name. Use localhost or an IP address, or add the name to "
            "LIBRA_WEB_HOST_NAMES."
        )
    return await handler(request)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers to a response; it runs for every response just before it is sent."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    nonce = request.get(NONCE) or secrets.token_urlsafe(NONCE_BYTES)
    response.headers.setdefault("Content-Security-Policy", content_security_policy(nonce))
    if not request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
