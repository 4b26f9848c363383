"""The page of a battle: the answers, the next turn, the vote, and the names."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from libra.core.errors import CallerError, Invalid
from libra.v1.arena_pb2 import (
    AddTurnRequest,
    Battle,
    BattleState,
    GetBattleRequest,
    GetRulesRequest,
    Preference,
    RevealBattleRequest,
    VoteRequest,
)
from libra.v1.arena_pb2_grpc import ArenaServiceStub
from libra.web.keys import BACKEND
from libra.web.links import battle_path
from libra.web.pages.arena.visitor import visitor_of
from libra.web.query import Query
from libra.web.renderer import render_form, status_of

PREFERENCES = {
    "a": Preference.PREFERENCE_A,
    "b": Preference.PREFERENCE_B,
    "tie": Preference.PREFERENCE_TIE,
    "both_bad": Preference.PREFERENCE_BOTH_BAD,
}
STATES = {
    BattleState.BATTLE_STATE_ANSWERING: "answering",
    BattleState.BATTLE_STATE_OPEN: "open",
    BattleState.BATTLE_STATE_VOTED: "voted",
    BattleState.BATTLE_STATE_REVEALED: "revealed",
    BattleState.BATTLE_STATE_FAILED: "failed",
}
WORDS = {value: name for name, value in PREFERENCES.items()}


async def show(request: web.Request) -> web.Response:
    """Show a battle."""
    Query.of(request).finish()
    return await _page(request)


async def add_turn(request: web.Request) -> web.Response:
    """Add a prompt, and lead back to the battle."""
    form = await request.post()
    prompt, turn = str(form.get("prompt", "")), str(form.get("turn", ""))
    try:
        if not prompt.strip():
            raise Invalid("write a prompt", field="prompt")
        asked = AddTurnRequest(
            visitor=visitor_of(request), battle=_id(request), prompt=prompt, turn=int(turn) if turn.isdecimal() else 0
        )
        await request.app[BACKEND].call(ArenaServiceStub, "AddTurn", asked)
    except CallerError as error:
        return await _page(request, error, prompt=prompt)
    raise web.HTTPSeeOther(battle_path(_id(request)))


async def vote(request: web.Request) -> web.Response:
    """Store the vote, and lead back to the battle, which then shows the names."""
    form = await request.post()
    safer, more_helpful = (PREFERENCES.get(str(form.get(name, ""))) for name in ("safer", "more_helpful"))
    try:
        if safer is None or more_helpful is None:
            raise Invalid("answer both questions", field="vote")
        asked = VoteRequest(
            visitor=visitor_of(request), ballot=str(form.get("ballot", "")), safer=safer, more_helpful=more_helpful
        )
        await request.app[BACKEND].call(ArenaServiceStub, "Vote", asked)
    except CallerError as error:
        return await _page(request, error)
    raise web.HTTPSeeOther(battle_path(_id(request)))


async def reveal(request: web.Request) -> web.Response:
    """Show the names without a vote."""
    asked = RevealBattleRequest(visitor=visitor_of(request), battle=_id(request))
    try:
        await request.app[BACKEND].call(ArenaServiceStub, "RevealBattle", asked)
    except CallerError as error:
        return await _page(request, error)
    raise web.HTTPSeeOther(battle_path(_id(request)))


async def _page(request: web.Request, error: CallerError | None = None, prompt: str = "") -> web.Response:
    """Return the page, with what is wrong with the form that was sent."""
    backend = request.app[BACKEND]
    asked = GetBattleRequest(battle=_id(request), visitor=visitor_of(request))
    battle: Battle = (await backend.call(ArenaServiceStub, "GetBattle", asked)).battle
    rules = await backend.attempt(ArenaServiceStub, "GetRules", GetRulesRequest())
    values = {
        "battle": battle,
        "state": STATES.get(battle.state, "unknown"),
        "turns_left": (rules.value.max_turns if rules.value else 0) - len(battle.turns),
        "preferences": WORDS,
        "error": error,
        "prompt": prompt,
        "is_own": bool(battle.ballot),
    }
    return render_form(request, "battle.html", values, status_of(error) if error else HTTPStatus.OK)


def _id(request: web.Request) -> str:
    return request.match_info["battle"]
