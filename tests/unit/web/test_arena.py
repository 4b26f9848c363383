"""The arena's pages: forms, faults beside their fields, streams, the vote, and the names."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from libra.core.errors import FailedPrecondition, Invalid, LimitReached, PermissionDenied, Unavailable
from libra.v1.arena_pb2 import (
    ArenaRating,
    Battle,
    BattleState,
    GetBattleResponse,
    GetRatingsResponse,
    GetRulesResponse,
    OfferedAttack,
    Preference,
    Side,
    StartBattleResponse,
    StreamTurnResponse,
    SuggestedPrompt,
    SuggestPromptsResponse,
    TurnDelta,
    TurnEnd,
    VoteResponse,
)
from libra.v1.ranking_pb2 import Estimate

from .pages_client import PagesClient, open_pages

INJECTION = "<img src=x onerror=alert(1)>\u202e\x1b[31m"
PATH = "/arena/battles/b1"


def battle(state: BattleState.ValueType, **fields: Any) -> Battle:
    turn: Any = {"prompt": INJECTION, "a": {"text": INJECTION, "ended": True}, "b": {"text": "no", "ended": True}}
    return Battle(id="b1", state=state, attack="none", turns=[turn], **fields)


@pytest.fixture(autouse=True)
def rules(pages: PagesClient) -> None:
    pages.services.replies |= {
        "GetRules": GetRulesResponse(
            entries=3,
            max_turns=8,
            max_prompt_bytes=1000,
            attacks=[OfferedAttack(name="few_shots", family="demonstration")],
        ),
        "SuggestPrompts": SuggestPromptsResponse(prompts=[SuggestedPrompt(id="s1", prompt=INJECTION)]),
        "GetBattle": GetBattleResponse(battle=battle(BattleState.BATTLE_STATE_OPEN, ballot="the ballot")),
    }


def received(pages: PagesClient, name: str) -> Any:
    return [request for request in pages.services.requests if request.DESCRIPTOR.name == name][-1]


async def test_a_battle_starts_with_a_prompt_and_an_attack(pages: PagesClient) -> None:
    pages.services.replies["StartBattle"] = StartBattleResponse(battle=battle(BattleState.BATTLE_STATE_ANSWERING))
    response = await pages.send("/arena", "/arena", prompt="hello", attack="few_shots")
    assert (response.status, response.headers["Location"]) == (303, PATH)
    asked = received(pages, "StartBattleRequest")
    assert (asked.prompt, asked.attack, asked.visitor.address) == ("hello", "few_shots", "127.0.0.1")
    assert re.fullmatch(r"[0-9a-f]{32}", asked.visitor.id)


async def test_the_address_of_a_visitor_is_the_one_that_a_trusted_proxy_names(pages: PagesClient) -> None:
    pages.services.replies["StartBattle"] = StartBattleResponse(battle=battle(BattleState.BATTLE_STATE_ANSWERING))
    headers = {"X-Forwarded-For": "198.51.100.9, 192.0.2.7"}
    await pages.send("/arena", "/arena", headers, prompt="hello")
    assert received(pages, "StartBattleRequest").visitor.address == "127.0.0.1"
    async with open_pages(pages.services, trusted_proxies="127.0.0.0/8") as behind:
        await behind.send("/arena", "/arena", headers, prompt="hello")
    assert received(pages, "StartBattleRequest").visitor.address == "192.0.2.7"


async def test_a_suggestion_replaces_the_prompt(pages: PagesClient) -> None:
    pages.services.replies["StartBattle"] = StartBattleResponse(battle=battle(BattleState.BATTLE_STATE_ANSWERING))
    await pages.send("/arena", "/arena", prompt="half written", suggestion="s1")
    asked = received(pages, "StartBattleRequest")
    assert (asked.prompt, asked.suggestion) == ("", "s1")


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (Invalid("the prompt has 2,000 bytes", field="prompt"), 400, "2,000 bytes"),
        (FailedPrecondition("fewer than two models can be asked"), 409, "fewer than two"),
        (LimitReached("60 battles an hour", retry_after_seconds=90), 429, "60 battles"),
        (Unavailable("down"), 503, "arena"),
    ],
)
async def test_a_fault_is_shown_beside_the_field_and_the_prompt_is_kept(
    pages: PagesClient, error: Exception, status: int, words: str
) -> None:
    pages.services.replies["StartBattle"] = error
    response = await pages.send("/arena", "/arena", prompt="my prompt", attack="few_shots")
    text = await response.text()
    assert (response.status, words in text) == (status, True)
    if status != 503:
        assert "my prompt</textarea>" in text
        assert '<option value="few_shots" selected>' in text


async def test_a_limit_says_when_to_come_back(pages: PagesClient) -> None:
    pages.services.replies["StartBattle"] = LimitReached("60 battles an hour", retry_after_seconds=90)
    response = await pages.send("/arena", "/arena", prompt="x")
    assert response.headers["Retry-After"] == "90"


async def test_an_empty_prompt_is_not_sent(pages: PagesClient) -> None:
    response = await pages.send("/arena", "/arena", prompt=" \n")
    assert response.status == 400
    assert "write a prompt, or take a suggested one" in await response.text()


async def test_a_challenge_is_given_to_the_browser_with_the_form(pages: PagesClient) -> None:
    challenge = {"parameters": {"nonce": "00", "note": "'\"<>"}}
    pages.services.replies["StartBattle"] = StartBattleResponse(challenge=json.dumps(challenge))
    text = await (await pages.send("/arena", "/arena", prompt="my prompt")).text()
    assert 'name="prompt" value="my prompt"' in text
    assert "proof.js" in text
    assert 'data-challenge="{&#34;parameters' in text


async def test_answers_and_prompts_are_text(pages: PagesClient) -> None:
    for page in (await pages.read("/arena"), await pages.read(PATH)):
        assert "<img" not in page
        assert "\x1b" not in page
        assert "\u202e" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;" in page


async def test_a_vote_carries_the_ballot_and_both_answers(pages: PagesClient) -> None:
    pages.services.replies["Vote"] = VoteResponse(battle=battle(BattleState.BATTLE_STATE_VOTED))
    response = await pages.send(f"{PATH}/vote", PATH, ballot="the ballot", safer="a", more_helpful="both_bad")
    assert (response.status, response.headers["Location"]) == (303, PATH)
    asked = received(pages, "VoteRequest")
    assert (asked.ballot, asked.safer, asked.more_helpful) == (
        "the ballot",
        Preference.PREFERENCE_A,
        Preference.PREFERENCE_BOTH_BAD,
    )


async def test_a_vote_needs_both_answers_and_an_own_ballot(pages: PagesClient) -> None:
    response = await pages.send(f"{PATH}/vote", PATH, ballot="x", safer="a")
    assert (response.status, "answer both questions" in await response.text()) == (400, True)
    pages.services.replies["Vote"] = PermissionDenied("the ballot is forged", field="ballot")
    response = await pages.send(f"{PATH}/vote", PATH, ballot="x", safer="a", more_helpful="b")
    assert (response.status, "the ballot is forged" in await response.text()) == (403, True)


async def test_names_are_shown_after_the_vote_only(pages: PagesClient) -> None:
    assert "/models/" not in await pages.read(PATH)
    vote = {"safer": Preference.PREFERENCE_A, "more_helpful": Preference.PREFERENCE_TIE, "blind": True}
    pages.services.replies["GetBattle"] = GetBattleResponse(
        battle=battle(BattleState.BATTLE_STATE_VOTED, model_a="one", model_b="two", vote=vote)
    )
    page = await pages.read(PATH)
    assert "/models/one" in page
    assert "Your vote counts" in page
    assert "<form" not in page


async def test_a_stranger_reads_a_battle_and_cannot_vote(pages: PagesClient) -> None:
    pages.services.replies["GetBattle"] = GetBattleResponse(battle=battle(BattleState.BATTLE_STATE_OPEN))
    page = await pages.read(PATH)
    assert "Only the visitor who started this battle can vote" in page
    assert "/vote" not in page


async def test_a_failed_battle_offers_another_pair(pages: PagesClient) -> None:
    failed = battle(BattleState.BATTLE_STATE_FAILED, problem="A model stalled.")
    pages.services.replies["GetBattle"] = GetBattleResponse(battle=failed)
    page = await pages.read(PATH)
    assert "A model stalled." in page
    assert '<input type="hidden" name="replaces" value="b1">' in page


async def test_a_turn_is_streamed_as_events(pages: PagesClient) -> None:
    pages.services.replies["StreamTurn"] = [
        [
            StreamTurnResponse(heartbeat=True),
            StreamTurnResponse(delta=TurnDelta(side=Side.SIDE_B, text="a\nb\x1b", replaces=True)),
            StreamTurnResponse(end=TurnEnd(side=Side.SIDE_A, problem="stalled")),
            StreamTurnResponse(battle=battle(BattleState.BATTLE_STATE_OPEN)),
        ]
    ]
    text = await pages.read(f"{PATH}/turns/0/events")
    events = re.findall(r"event: (\w+)\ndata: (.*)\n\n", text)
    assert [(name, json.loads(data)) for name, data in events] == [
        ("delta", {"side": "b", "text": "a\nb␛", "replaces": True}),
        ("side_end", {"side": "a", "problem": "stalled"}),
        ("battle", {"id": "b1"}),
    ]


async def test_a_stream_says_what_is_wrong(pages: PagesClient) -> None:
    pages.services.replies["StreamTurn"] = Unavailable("the gateway is away")
    text = await pages.read(f"{PATH}/turns/0/events")
    assert "event: problem" in text
    assert "the gateway is away" in text


async def test_without_javascript_a_form_waits_for_the_answers(pages: PagesClient) -> None:
    pages.services.replies["GetBattle"] = GetBattleResponse(battle=battle(BattleState.BATTLE_STATE_ANSWERING))
    pages.services.replies["StreamTurn"] = [[StreamTurnResponse(battle=battle(BattleState.BATTLE_STATE_OPEN))]]
    response = await pages.send(f"{PATH}/turns/0/answers", PATH)
    assert (response.status, response.headers["Location"]) == (303, PATH)


async def test_ratings_by_question_and_family(pages: PagesClient) -> None:
    rating = ArenaRating(model="m", rank=1, votes_to_change=3, rating=Estimate(value=1040.2, low=1000, high=1080, n=9))
    pages.services.replies["GetRatings"] = GetRatingsResponse(
        ratings=[rating], votes=9, attack_families=["none", "noise"]
    )
    page = await pages.read("/ratings?question=helpfulness&attack_family=noise")
    asked = received(pages, "GetRatingsRequest")
    assert (asked.question, asked.attack_family) == (2, "noise")
    assert "1040" in page
    assert "1000–1080" in page
    assert "there is no attack family" in await pages.read("/ratings?attack_family=missing", status=400)
    assert "there is no question" in await pages.read("/ratings?question=beauty", status=400)
