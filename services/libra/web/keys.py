"""The keys under which the application holds its parts, and each request its own."""

from __future__ import annotations

from aiohttp import web

from libra.telemetry.metrics import Metrics
from libra.web.access import Access
from libra.web.backend import Backend

BACKEND = web.AppKey("backend", Backend)
ACCESS = web.AppKey("access", Access)
METRICS = web.AppKey("metrics", Metrics)
SECRET = web.AppKey("secret", bytes)

NONCE = web.RequestKey("nonce", str)
"""The nonce of a response's Content-Security-Policy, which its script elements repeat."""

VISITOR = web.RequestKey("visitor", str)
"""The id of the visitor, from the signed cookie."""
