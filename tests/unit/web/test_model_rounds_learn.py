"""The pages about one model, about rounds, and about how to read the board."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.unit.cli.board_fixture import estimate, row
from tests.unit.cli.scripted_services import ScriptedServices

from libra.core.errors import FailedPrecondition, Invalid, NotFound, Unavailable
from libra.v1.model_pb2 import GetModelResponse, Model
from libra.v1.ranking_pb2 import (
    AttackReport,
    Board,
    Estimate,
    GetBoardResponse,
    ListVerdictsResponse,
    ReportAttacksResponse,
    ReportContaminationResponse,
    ReportStabilityResponse,
    TaskScore,
)
from libra.v1.round_pb2 import (
    GetRoundCommitmentResponse,
    GetRoundReleaseResponse,
    GetRoundResponse,
    ListRoundsResponse,
    Round,
    RoundState,
)
from libra.v1.run_pb2 import ListRunsResponse, Run, RunSpec, RunState
from libra.v1.task_pb2 import Category, ListTasksResponse, Task
from libra.v1.verdict_pb2 import Verdict
from libra.web.pages.model.history import sum_costs

from .pages_client import PagesClient, open_pages

FINISHED = RunState.RUN_STATE_FINISHED
INJECTION = "<img src=x onerror=alert(1)>"


def prepare_model(pages: PagesClient) -> None:
    made = row(1, "one")
    tasks = made.categories[0].tasks
    del tasks[:]
    tasks.append(TaskScore(task="fraud", attack="none", run="R1", score=estimate(0.9, 0.8, 1)))
    made.categories[1].tasks.append(
        TaskScore(task="fraud", attack="few_shots", run="R1", score=estimate(0.2, 0.1, 0.3))
    )
    pages.services.replies |= {
        "GetBoard": GetBoardResponse(board=Board(rows=[made, row(2, "two")])),
        "GetModel": GetModelResponse(model=Model(name="one", base_url="http://secret.example/v1")),
        "ListRuns": ListRunsResponse(
            runs=[
                Run(id="R1", spec=RunSpec(name=INJECTION, models=["one"]), state=FINISHED),
                Run(id="R2", state=FINISHED),
            ]
        ),
        "ListVerdicts": ListVerdictsResponse(),
        "ReportAttacks": ReportAttacksResponse(
            reports=[AttackReport(model="one", trials=4, cost_usd=1.5, seconds=8), AttackReport(model="two", trials=9)]
        ),
    }


async def test_a_model_shows_its_scores_by_task_and_attack_and_the_lowest_first(pages: PagesClient) -> None:
    prepare_model(pages)
    page = await pages.read("/models/one")
    assert "Rank 1 of 2; the data do not rule out ranks 1 to 2." in page
    assert "heat heat-9" in page
    assert "heat heat-2" in page
    worst = page.partition("Where it fails most")[2]
    assert worst.index("20.0") < worst.index("90.0")
    assert "/runs/R1/verdicts?model=one&amp;task=fraud&amp;attack=few_shots&amp;max_score=0.5" in worst
    assert "/runs/R1/verdicts?model=one&amp;task=fraud&amp;attack=few_shots" in page
    assert "$1.50" in page
    assert "2.0s" in page


async def test_a_model_shows_its_worst_answers_by_task(pages: PagesClient, services: ScriptedServices) -> None:
    prepare_model(pages)
    verdicts = [
        Verdict(
            id=f"R1/0/one/fraud@1/none/0000000{n}/0000",
            run="R1",
            sample=n,
            score=score,
            rationale=f"why {n} {INJECTION}",
        )
        for n, score in enumerate((0.5, 0.25, 0.0, 0.125))
    ]
    verdicts.append(Verdict(id="R1/0/one/fraud@1/none/00000009/0000", sample=9, score=0.0625, sealed=True))
    pages.services.replies["ListVerdicts"] = ListVerdictsResponse(verdicts=verdicts)
    worst = (await pages.read("/models/one")).partition("Where it fails most")[2]
    first = worst.partition("</ul>")[0]
    assert re.findall(r">#(\d)</a> ([.\d]+)", first) == [("2", "0.00"), ("9", "0.06"), ("3", "0.12")]
    assert 'href="/verdicts/R1/0/one/fraud@1/none/00000002/0000?model=one&amp;task=fraud&amp;attack=few_shots' in first
    assert "why 2 &lt;img" in first
    assert '<span class="badge">sealed</span>' in first
    asked = [each for each in services.requests if type(each).__name__ == "ListVerdictsRequest"]
    assert [(each.run, each.model, each.task, each.max_score) for each in asked] == [("R1", "one", "fraud", 0.5)] * 2
    pages.services.replies["ListVerdicts"] = Unavailable("down")
    away = (await pages.read("/models/one")).partition("Where it fails most")[2]
    assert away.count("The service ranking has not answered") == 1
    assert "20.0" in away
    async with open_pages(services, listen="0.0.0.0:80") as public:
        prepare_model(public)
        services.requests.clear()
        stranger = (await public.read("/models/one")).partition("Where it fails most")[2]
    assert "20.0" in stranger
    assert "/verdicts" not in stranger.partition("<h2>")[0]
    assert "ListVerdictsRequest" not in {type(each).__name__ for each in services.requests}


async def test_a_model_shows_only_runs_that_it_took_part_in(pages: PagesClient) -> None:
    prepare_model(pages)
    history = (await pages.read("/models/one")).partition("History")[2]
    assert "/?run=R1" in history
    assert "/?run=R2" not in history
    assert "<img" not in history


async def test_the_endpoint_of_a_model_is_shown_on_this_machine_only(
    pages: PagesClient, services: ScriptedServices
) -> None:
    prepare_model(pages)
    assert "secret.example" in await pages.read("/models/one")
    async with open_pages(services, listen="0.0.0.0:80") as public:
        prepare_model(public)
        assert "secret.example" not in await public.read("/models/one")


async def test_an_unknown_model_is_not_found_with_the_nearest_names(pages: PagesClient) -> None:
    prepare_model(pages)
    pages.services.replies["GetModel"] = NotFound.named("model", "on", ["one"], field="name")
    assert "did you mean one?" in await pages.read("/models/on", status=404)


async def test_a_model_without_results_says_how_to_evaluate_it(pages: PagesClient) -> None:
    prepare_model(pages)
    pages.services.replies["GetModel"] = GetModelResponse(model=Model(name="new"))
    assert "libra run create --model new" in await pages.read("/models/new")


async def test_a_model_shows_what_it_can_while_ranking_is_away(pages: PagesClient) -> None:
    prepare_model(pages)
    pages.services.replies["GetBoard"] = Unavailable("down")
    page = await pages.read("/models/one")
    assert "The service ranking has not answered since" in page
    assert "/?run=R1" in page


def test_costs_are_lower_limits_where_something_is_unknown() -> None:
    found = sum_costs(
        [AttackReport(trials=2, seconds=3, cost_usd=1), AttackReport(trials=2, seconds=5, unknown_price=1)]
    )
    assert (found.trials, found.usd, found.is_lower_limit, found.mean_seconds) == (4, 1, True, 2)
    assert sum_costs([]).mean_seconds == 0


def round_of(state: RoundState.ValueType, **fields: Any) -> Round:
    return Round(name="2027Q1", state=state, merkle_root="ab" * 32, public_key="cd" * 32, canary=INJECTION, **fields)


@pytest.fixture
def reports(pages: PagesClient) -> None:
    pages.services.replies |= {
        "ReportContamination": ReportContaminationResponse(),
        "ReportStability": ReportStabilityResponse(tau=Estimate(value=0.8)),
    }


@pytest.mark.usefixtures("reports")
async def test_a_closed_round_says_how_to_verify_it(pages: PagesClient) -> None:
    found = round_of(RoundState.ROUND_STATE_CLOSED, follows="2026Q4")
    pages.services.replies |= {
        "GetRound": GetRoundResponse(round=found),
        "ListRounds": ListRoundsResponse(rounds=[found]),
    }
    assert "/rounds/2027Q1" in await pages.read("/rounds")
    page = await pages.read("/rounds/2027Q1")
    assert f"--public-key {'cd' * 32}" in page
    assert "0.80" in page
    assert "<img" not in page


@pytest.mark.usefixtures("reports")
async def test_an_open_round_has_no_release(pages: PagesClient) -> None:
    pages.services.replies["GetRound"] = GetRoundResponse(round=round_of(RoundState.ROUND_STATE_OPEN))
    pages.services.replies["ReportContamination"] = Invalid("no published round")
    page = await pages.read("/rounds/2027Q1")
    assert "release.jsonl" not in page
    assert "Store the commitment now" in page
    pages.services.replies["GetRoundRelease"] = FailedPrecondition("the round is open")
    assert "the round is open" in await pages.read("/rounds/2027Q1/release.jsonl", status=409)


async def test_commitment_and_release_are_sent_as_they_were_published(pages: PagesClient) -> None:
    pages.services.replies |= {
        "GetRoundCommitment": GetRoundCommitmentResponse(commitment=b'{"root": 1}'),
        "GetRoundRelease": [[GetRoundReleaseResponse(data=b'{"a"'), GetRoundReleaseResponse(data=b": 1}\n")]],
    }
    assert await pages.read("/rounds/2027Q1/commitment.json") == '{"root": 1}'
    assert await pages.read("/rounds/2027Q1/release.jsonl") == '{"a": 1}\n'


async def test_without_a_round_the_page_says_how_to_open_one(pages: PagesClient) -> None:
    assert "libra round open" in await pages.read("/rounds")


async def test_learn_draws_its_pictures_from_this_systems_data(pages: PagesClient) -> None:
    run = Run(id="R1", spec=RunSpec(name="autumn", attacks=["none", "few_shots"]), state=FINISHED)
    gain = AttackReport(model="one", attack="few_shots", gain=estimate(0.3, 0.2, 0.4))
    pages.services.replies |= {
        "GetBoard": GetBoardResponse(board=Board(rows=[row(1, "one"), row(2, "refuser")])),
        "ListTasks": ListTasksResponse(tasks=[Task(name="fraud", category=Category.CATEGORY_DIRECT_RISKY)]),
        "ListRuns": ListRunsResponse(runs=[run]),
        "ReportAttacks": ReportAttacksResponse(reports=[gain]),
    }
    page = await pages.read("/learn")
    assert page.count("<svg") >= 4
    assert "few_shots on one" in page
    assert "one has an Overall of 78.8" in page
    assert "/?task=fraud" in page


async def test_learn_explains_without_data_too(pages: PagesClient) -> None:
    pages.services.replies |= {"GetBoard": GetBoardResponse(board=Board()), "ListTasks": Unavailable("down")}
    page = await pages.read("/learn")
    assert page.count('class="empty"') == 3
    assert "The service dispatch has not answered" in page
