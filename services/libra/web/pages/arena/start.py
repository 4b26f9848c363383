"""The page on which a battle is started: the visitor's own prompt or a suggested one, and an attack."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any

from aiohttp import web

from libra.core.errors import CallerError, Invalid
from libra.v1.arena_pb2 import GetRulesRequest, StartBattleRequest, SuggestPromptsRequest
from libra.v1.arena_pb2_grpc import ArenaServiceStub
from libra.web.backend import Backend
from libra.web.keys import BACKEND
from libra.web.links import battle_path
from libra.web.pages.arena.visitor import visitor_of
from libra.web.query import Query
from libra.web.renderer import render_form, status_of

SUGGESTIONS = 4
START_SECONDS = 30.0
"""An attack that a model writes takes a while."""

FORM_FIELDS = ("prompt", "attack", "suggestion", "replaces", "proof")
EMPTY_FORM = {**dict.fromkeys(FORM_FIELDS, ""), "error": "", "field": "", "challenge": None}


async def show(request: web.Request) -> web.Response:
    """Show the form."""
    Query.of(request).finish()
    return await _page(request, EMPTY_FORM)


async def start(request: web.Request) -> web.Response:
    """Start a battle and lead to its page; with a fault, show the form again with a sentence beside the field."""
    form = await request.post()
    given = {name: str(form.get(name, "")) for name in FORM_FIELDS}
    if given["suggestion"]:
        given["prompt"] = ""
    try:
        if not (given["prompt"].strip() or given["suggestion"] or given["replaces"]):
            raise Invalid("write a prompt, or take a suggested one", field="prompt")
        asked = StartBattleRequest(visitor=visitor_of(request), **given)
        reply = await request.app[BACKEND].call(ArenaServiceStub, "StartBattle", asked, timeout_seconds=START_SECONDS)
    except CallerError as error:
        return await _page(request, {**EMPTY_FORM, **given, "error": error.message, "field": error.field}, error)
    if reply.challenge:
        return await _page(request, {**EMPTY_FORM, **given, "challenge": json.loads(reply.challenge)})
    raise web.HTTPSeeOther(battle_path(reply.battle.id))


async def _page(request: web.Request, given: dict[str, Any], error: CallerError | None = None) -> web.Response:
    """Return the form as the visitor filled it."""
    backend: Backend = request.app[BACKEND]
    rules, suggestions = await asyncio.gather(
        backend.attempt(ArenaServiceStub, "GetRules", GetRulesRequest()),
        backend.attempt(ArenaServiceStub, "SuggestPrompts", SuggestPromptsRequest(count=SUGGESTIONS)),
    )
    values = {"rules": rules, "suggestions": suggestions, "given": given, "families": _families(rules.value)}
    status = status_of(error) if error else HTTPStatus.OK
    response = render_form(request, "arena.html", values, status)
    if error is not None:
        _add_retry_after(response, error)
    return response


def _families(rules: Any) -> list[tuple[str, list[Any]]]:
    """Return the attacks that are offered, by family."""
    families: dict[str, list[Any]] = {}
    for attack in rules.attacks if rules else ():
        families.setdefault(attack.family, []).append(attack)
    return list(families.items())


def _add_retry_after(response: web.Response, error: CallerError) -> None:
    seconds = getattr(error, "retry_after_seconds", 0.0)
    if seconds:
        response.headers["Retry-After"] = str(max(1, round(seconds)))
