"""The routes of the arena."""

from __future__ import annotations

from aiohttp import web

from libra.web.pages.arena import battle, ratings, start, stream

BATTLE = "/arena/battles/{battle}"

ROUTES = (
    web.get("/arena", start.show),
    web.post("/arena", start.start),
    web.get(BATTLE, battle.show),
    web.post(f"{BATTLE}/turns", battle.add_turn),
    web.get(f"{BATTLE}/turns/{{turn}}/events", stream.send_events),
    web.post(f"{BATTLE}/turns/{{turn}}/answers", stream.wait_for_answers),
    web.post(f"{BATTLE}/vote", battle.vote),
    web.post(f"{BATTLE}/reveal", battle.reveal),
    web.get("/ratings", ratings.show),
)
