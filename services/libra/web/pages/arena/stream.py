"""Sends both answers of a turn to the browser while they arrive, by server-sent events."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson
from aiohttp import web

from libra.cli.render.sanitize import sanitize
from libra.core.errors import CallerError
from libra.v1.arena_pb2 import Side, StreamTurnRequest, StreamTurnResponse
from libra.v1.arena_pb2_grpc import ArenaServiceStub
from libra.web.keys import BACKEND
from libra.web.links import battle_path
from libra.web.pages.arena.visitor import visitor_of
from libra.web.unavailable import ServiceAway

SIDES = {Side.SIDE_A: "a", Side.SIDE_B: "b"}


async def send_events(request: web.Request) -> web.StreamResponse:
    """Stream a turn. A browser that connects again gets the answers from their beginning."""
    response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream"
    await response.prepare(request)
    try:
        async with aclosing(_replies(request)) as replies:
            async for reply in replies:
                await response.write(event_of(reply))
    except (CallerError, ServiceAway) as error:
        await response.write(_event("problem", {"text": sanitize(str(error))}))
    return response


async def wait_for_answers(request: web.Request) -> web.Response:
    """Wait for both answers, for a browser without JavaScript, and lead back to the battle."""
    async with aclosing(_replies(request)) as replies:
        async for _ in replies:
            pass
    raise web.HTTPSeeOther(battle_path(request.match_info["battle"]))


def event_of(reply: StreamTurnResponse) -> bytes:
    """Return one event of a stream, as a browser reads it."""
    kind = reply.WhichOneof("event")
    if kind == "delta":
        side, text = SIDES.get(reply.delta.side, "a"), sanitize(reply.delta.text)
        return _event("delta", {"side": side, "text": text, "replaces": reply.delta.replaces})
    if kind == "end":
        return _event("side_end", {"side": SIDES.get(reply.end.side, "a"), "problem": sanitize(reply.end.problem)})
    if kind == "battle":
        return _event("battle", {"id": reply.battle.id})
    return b": heartbeat\n\n"


def _replies(request: web.Request) -> AsyncGenerator[Any, None]:
    turn = request.match_info["turn"]
    asked = StreamTurnRequest(
        visitor=visitor_of(request), battle=request.match_info["battle"], turn=int(turn) if turn.isdecimal() else -1
    )
    return request.app[BACKEND].stream(ArenaServiceStub, "StreamTurn", asked)


def _event(name: str, data: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data))
