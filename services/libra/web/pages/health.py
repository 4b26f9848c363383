"""/healthz: whether the process answers, for probes."""

from __future__ import annotations

from aiohttp import web

ROUTES = web.RouteTableDef()


@ROUTES.get("/healthz")
async def show(request: web.Request) -> web.Response:
    """Return 200. A service that is away is no reason to restart this one: the pages say so."""
    del request
    return web.Response(text="ok\n")
