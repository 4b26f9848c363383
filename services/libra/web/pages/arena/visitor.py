"""The visitor as the arena knows one."""

from __future__ import annotations

from aiohttp import web

from libra.v1.arena_pb2 import Visitor
from libra.web.keys import VISITOR
from libra.web.security.client_address import CLIENT_ADDRESSES


def visitor_of(request: web.Request) -> Visitor:
    """Return who asks: the id of the signed cookie, and the address of the connection or behind trusted proxies."""
    return Visitor(id=request[VISITOR], address=request.app[CLIENT_ADDRESSES].find(request))
