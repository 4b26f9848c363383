"""Counts and times the requests of each page."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from libra.web.keys import METRICS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

UNKNOWN_PAGE = "unknown"


@web.middleware
async def measure_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Record the status and the duration of a request under the path of its route, as in "/models/{name}"."""
    began = time.perf_counter()
    response = await handler(request)
    resource = request.match_info.route.resource
    page, metrics = resource.canonical if resource else UNKNOWN_PAGE, request.app[METRICS]
    metrics.web_requests.labels(page=page, status=str(response.status)).inc()
    metrics.web_seconds.labels(page=page).observe(time.perf_counter() - began)
    return response
