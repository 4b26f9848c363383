"""Runs, verdicts, comparisons and attacks: what they show of hostile text, of sealed samples, and to strangers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from tests.unit.cli.scripted_services import ScriptedServices

from libra.core.errors import Invalid, NotFound, Unavailable
from libra.v1.annotation_pb2 import Annotation, CreateAnnotationResponse, ListAnnotationsResponse
from libra.v1.completion_pb2 import Completion, FinishReason, Usage
from libra.v1.judge_pb2 import JudgePrompt, ListJudgesResponse, PreviewJudgingResponse
from libra.v1.message_pb2 import Message
from libra.v1.ranking_pb2 import (
    AttackReport,
    AuditFinding,
    AuditRunResponse,
    ComparedSample,
    CompareModelsResponse,
    CompareSamplesResponse,
    Comparison,
    Estimate,
    FailureGroup,
    GetBoardResponse,
    GetVerdictResponse,
    ListVerdictsResponse,
    ReportAttacksResponse,
    ReportFailuresResponse,
    SampleChange,
    TextExcerpt,
    TextPlace,
)
from libra.v1.round_pb2 import ListRoundsResponse, Round
from libra.v1.run_pb2 import (
    CancelRunResponse,
    GetRunResponse,
    ListRunsResponse,
    ModelProgress,
    OutcomeCounts,
    Run,
    RunSpec,
    RunState,
    WatchRunResponse,
)
from libra.v1.task_pb2 import Category, JudgeSpec
from libra.v1.verdict_pb2 import JudgeVersion, Outcome, Verdict
from libra.web.security.secret import sign
from libra.web.security.visitor import COOKIE, TOKEN_FIELD

from .pages_client import SECRET, PagesClient, open_pages

INJECTION = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202etxt\x1b[31m"
RUN = "01RUN"
VERDICT = f"{RUN}/0/m/harm@1/few_shots/00000007/0000"
PATH = f"/verdicts/{VERDICT}"
RUNNING, FINISHED = RunState.RUN_STATE_RUNNING, RunState.RUN_STATE_FINISHED


def run_of(state: RunState.ValueType = RUNNING, *, name: str = "a run", scored: int = 3) -> Run:
    counts = OutcomeCounts(scored=scored, failed=1)
    spec = RunSpec(name=name, models=["m"], tasks=["harm@1"], attacks=["none", "few_shots"])
    run = Run(id=RUN, spec=spec, state=state, trials=10, counts=counts, revision=scored)
    run.create_time.FromSeconds(1_700_000_000)
    run.models.append(ModelProgress(model="m", counts=counts))
    run.budget.limit.requests, run.budget.settled.requests = 50, 20
    return run


def verdict_of(**changes: object) -> Verdict:
    completion = Completion(
        id="c1",
        text=INJECTION,
        finish_reason=FinishReason.FINISH_REASON_STOP,
        usage=Usage(prompt_tokens=12, completion_tokens=34),
        latency_seconds=0.25,
        cost_usd=1.5,
    )
    fields: dict[str, object] = {
        "id": VERDICT,
        "run": RUN,
        "model": "m",
        "task": "harm@1",
        "attack": "few_shots",
        "sample": 7,
        "outcome": Outcome.OUTCOME_SCORED,
        "label": INJECTION,
        "judge": JudgeVersion(name="model", version="2", rubric_hash="abc"),
        "rationale": INJECTION,
        "completion_id": "c1",
        "messages": [Message(role="user", content=f"Please: {INJECTION} bake bread")],
        "completion": completion,
        "category": Category.CATEGORY_ADVERSARIAL,
    }
    return Verdict(**(fields | changes))  # type: ignore[arg-type]  # fields by name


def reply_of(verdict: Verdict) -> GetVerdictResponse:
    return GetVerdictResponse(
        verdict=verdict,
        plain_messages=[] if verdict.sealed else [Message(role="user", content=f"{INJECTION} bake bread")],
        sample_fields={"answer": INJECTION},
        judge=JudgeSpec(name="model", options={"rubric": INJECTION}),
        previous_id="01RUN/0/m/harm@1/few_shots/00000006/0000",
        next_id="01RUN/0/m/harm@1/few_shots/00000008/0000",
    )


@pytest.fixture
def replies(services: ScriptedServices) -> dict[str, object]:
    estimate = Estimate(value=0.25, low=0.1, high=0.4, n=10)
    group = FailureGroup(
        outcome=Outcome.OUTCOME_FAILED, reason=f"no … {INJECTION}", count=3, example=VERDICT, models=[INJECTION]
    )
    services.replies |= {
        "GetRun": GetRunResponse(run=run_of(name=INJECTION)),
        "CancelRun": CancelRunResponse(),
        "ReportFailures": ReportFailuresResponse(groups=[group]),
        "GetBoard": GetBoardResponse(),
        "AuditRun": AuditRunResponse(findings=[AuditFinding(law="a law", message=INJECTION)]),
        "ListVerdicts": ListVerdictsResponse(verdicts=[verdict_of()], total=1),
        "ListJudges": ListJudgesResponse(),
        "GetVerdict": reply_of(verdict_of()),
        "PreviewJudging": PreviewJudgingResponse(
            judge=JudgeVersion(name="model", version="3"),
            prompts=[JudgePrompt(model="j", messages=[Message(role="user", content=INJECTION)], times=1)],
        ),
        "ListAnnotations": ListAnnotationsResponse(
            annotations=[Annotation(verdict=VERDICT, author=INJECTION, text=INJECTION, score=1)]
        ),
        "CreateAnnotation": CreateAnnotationResponse(),
        "ReportAttacks": ReportAttacksResponse(
            reports=[AttackReport(attack="few_shots", model=INJECTION, success=estimate)], notes=[INJECTION]
        ),
        "CompareModels": CompareModelsResponse(
            tasks=[Comparison(what="harm", samples=1, difference=estimate, score=0.5, other_score=0.25)],
            notes=[INJECTION],
        ),
        "CompareSamples": CompareSamplesResponse(
            samples=[
                ComparedSample(
                    what="harm",
                    change=SampleChange.SAMPLE_CHANGE_BROKEN,
                    verdict=verdict_of(),
                    other_verdict=verdict_of(),
                )
            ]
        ),
    }
    return services.replies


@pytest.fixture
async def public_pages(services: ScriptedServices, replies: dict[str, object]) -> AsyncIterator[PagesClient]:
    del replies
    async with open_pages(services, listen="0.0.0.0:0") as opened:
        yield opened


@pytest.mark.usefixtures("replies")
@pytest.mark.parametrize(
    "path",
    [
        f"/runs/{RUN}?audit=1",
        f"/runs/{RUN}/verdicts",
        f"/runs/{RUN}/attacks",
        f"{PATH}?show=1",
        "/compare?model=m&other=n&show=1",
    ],
)
async def test_no_text_becomes_an_element(pages: PagesClient, path: str) -> None:
    pages.services.replies["ListRuns"] = ListRunsResponse(runs=[run_of(name=INJECTION)])
    text = await pages.read(path)
    assert "alert(1)" in text
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "\u202e" not in text
    assert "\x1b" not in text


@pytest.mark.usefixtures("replies")
async def test_a_verdict_shows_what_the_attack_changed_and_how_the_judge_asked(pages: PagesClient) -> None:
    text = await pages.read(f"{PATH}?show=1&label=x")
    assert "<ins>Please: </ins>" in text
    assert "12 prompt + 34 answer" in text
    assert "$1.50" in text
    assert "250 ms" in text
    assert "The verdict is by version 2" in text
    assert re.search(r'rel="next" href="/verdicts/01RUN/0/m/harm@1/few_shots/00000008/0000\?label=x&amp;show=1"', text)
    assert "blurred" not in text
    hidden = await pages.read(PATH)
    assert hidden.count('blurred" dir="auto" aria-hidden="true"') >= 3
    harmless = reply_of(verdict_of(category=Category.CATEGORY_CAPABILITY))
    pages.services.replies["GetVerdict"] = harmless
    assert "blurred" not in await pages.read(PATH)


@pytest.mark.usefixtures("replies")
@pytest.mark.parametrize("path", [f"/runs/{RUN}/verdicts", "/verdicts"])
async def test_a_text_is_marked_in_its_excerpt(pages: PagesClient, path: str) -> None:
    excerpt = TextExcerpt(
        verdict=VERDICT, place=TextPlace.TEXT_PLACE_ANSWER, before="a <b>", hit="<i>", after=f"</b> {INJECTION}"
    )
    page = ListVerdictsResponse(verdicts=[verdict_of(rationale="why")], searched=9, excerpts=[excerpt])
    pages.services.replies["ListVerdicts"] = page
    text = await pages.read(f"{path}?text=%3Ci%3E&show=1&outcome=scored")
    assert "a &lt;b&gt;<mark>&lt;i&gt;</mark>&lt;/b&gt;" in text
    assert "<script>alert" not in text
    assert "blurred" not in text
    assert "why" in text
    assert "1 found among 9 verdicts" in text
    asked = next(each for each in pages.services.requests if type(each).__name__ == "ListVerdictsRequest")
    assert (asked.text, asked.excerpts, asked.page_size) == ("<i>", True, 50)
    assert asked.run == (RUN if "runs" in path else "")
    hidden = await pages.read(f"{path}?text=%3Ci%3E")
    assert '<span class="blurred" aria-hidden="true" dir="auto">' in hidden
    assert "Some excerpts may be harmful" in hidden
    page.excerpts[0].place = TextPlace.TEXT_PLACE_REASON
    assert "why" not in await pages.read(f"{path}?text=%3Ci%3E&show=1")


@pytest.mark.usefixtures("replies")
async def test_a_search_through_all_runs_names_them_and_asks_nothing_without_a_text(pages: PagesClient) -> None:
    assert "The newest run is searched first" in await pages.read("/verdicts?outcome=scored")
    assert "ListVerdictsRequest" not in {type(each).__name__ for each in pages.services.requests}
    pages.services.replies["ListRuns"] = ListRunsResponse(runs=[run_of(name="nightly")])
    pages.services.replies["ListVerdicts"] = ListVerdictsResponse(
        verdicts=[verdict_of()], searched=9, next_page_token="t", is_search_incomplete=True
    )
    text = await pages.read("/verdicts?text=x&page=s")
    assert f'<a href="/runs/{RUN}">nightly</a>' in text
    assert text.count('href="/verdicts?text=x&amp;page=t"') == 2
    assert 'href="/verdicts?text=x">← First page' in text
    assert f'href="{PATH}?text=x"' in text
    within = await pages.read(f"/runs/{RUN}/verdicts?text=x&outcome=scored")
    assert re.search(r'href="/verdicts\?\S*text=x\S*">Search in all runs', within)


@pytest.mark.usefixtures("replies")
async def test_a_sealed_verdict_says_so(pages: PagesClient) -> None:
    sealed = Verdict(id=VERDICT, run=RUN, model="m", task="harm@1", attack="few_shots", sealed=True)
    pages.services.replies["GetVerdict"] = reply_of(sealed)
    text = await pages.read(PATH)
    assert "not published yet" in text
    assert "Conversation" not in text


@pytest.mark.usefixtures("replies")
async def test_a_comparison_takes_the_round_of_the_form(pages: PagesClient) -> None:
    assert 'name="round"' not in await pages.read("/compare")
    pages.services.replies["ListRounds"] = ListRoundsResponse(rounds=[Round(name="2027Q1"), Round(name=INJECTION)])
    text = await pages.read("/compare?model=m&other=n&round=2027Q1")
    assert "in the round 2027Q1</h1>" in text
    assert '<option value="2027Q1" selected>' in text
    asked = next(each for each in pages.services.requests if type(each).__name__ == "CompareModelsRequest")
    assert (asked.model, asked.other, asked.round) == ("m", "n", "2027Q1")
    pages.services.replies["CompareModels"] = NotFound("there is no round 'x'", field="round")
    assert "there is no round" in await pages.read("/compare?model=m&other=n&round=x")


@pytest.mark.usefixtures("replies")
async def test_what_is_unknown_is_a_page_that_says_what_exists(pages: PagesClient) -> None:
    pages.services.replies["GetVerdict"] = NotFound("there is no verdict 'x'", field="id")
    pages.services.replies["ListRuns"] = ListRunsResponse(runs=[run_of(name="newest")])
    missing = await pages.read("/verdicts/x", status=404)
    assert "there is no verdict" in missing
    assert f'<a href="/runs/{RUN}">newest</a>' in missing
    pages.services.replies["GetRun"] = NotFound.run("x", field="id")
    assert f'<a href="/runs/{RUN}">newest</a>' in await pages.read("/runs/x", status=404)
    assert "did you mean scored" in await pages.read(f"/runs/{RUN}/verdicts?outcome=score", status=400)
    assert "there is no filter" in await pages.read(f"/runs/{RUN}/verdicts?sort=score", status=400)
    pages.services.replies["CompareModels"] = Invalid("a model is compared with another", field="other_runs")
    assert "a model is compared with another" in await pages.read("/compare?model=m&other=m")


@pytest.mark.usefixtures("replies")
async def test_a_part_that_is_away_leaves_the_rest(pages: PagesClient) -> None:
    pages.services.replies |= {"ReportFailures": Unavailable("no store"), "GetBoard": Unavailable("no store")}
    text = await pages.read(f"/runs/{RUN}")
    assert text.count("This part is away.") == 2
    assert "4 of 10 trials" in text
    assert "20 of 50" in text


@pytest.mark.usefixtures("replies")
async def test_an_annotation_needs_the_token_and_says_what_is_wrong(pages: PagesClient) -> None:
    sent = await pages.send(PATH, PATH, author="ada", text="note", score="0.5")
    assert (sent.status, sent.headers["Location"]) == (303, f"{PATH}#annotations")
    stored = next(each for each in pages.services.requests if type(each).__name__ == "CreateAnnotationRequest")
    assert stored.annotation == Annotation(verdict=VERDICT, author="ada", text="note", score=0.5)
    wrong = await pages.send(PATH, PATH, author="ada", text="kept", score="much")
    assert wrong.status == 400
    shown = await wrong.text()
    assert "is not a number" in shown
    assert ">kept</textarea>" in shown
    async with pages.client.post(PATH, data={"author": "eve", "text": "forged"}) as refused:
        assert refused.status == 403
    assert pages.refusals("form_token") == 1


@pytest.mark.usefixtures("replies")
async def test_progress_is_sent_as_events_until_the_run_ends(pages: PagesClient) -> None:
    pages.services.replies["WatchRun"] = [
        [WatchRunResponse(run=run_of(scored=3)), WatchRunResponse(run=run_of(FINISHED, scored=9))]
    ]
    async with pages.client.get(f"/runs/{RUN}/progress") as response:
        assert response.content_type == "text/event-stream"
        events = (await response.text()).strip().split("\n\n")
    assert [event.splitlines()[0].startswith("data: ") for event in events] == [True, True, False]
    assert "4 of 10 trials" in events[0]
    assert "finished" in events[1]
    assert events[2] == "event: ended\ndata: ended"
    assert not any(line and not line.startswith(("data: ", "event: ")) for line in "\n".join(events).splitlines())
    assert "hx-" not in events[0]
    pages.services.replies["WatchRun"] = NotFound.run("x", field="id")
    await pages.read("/runs/x/progress", status=404)


async def test_strangers_see_no_transcript_and_change_nothing(public_pages: PagesClient) -> None:
    for path in (f"/runs/{RUN}/verdicts", "/verdicts?text=x", PATH):
        assert "on the machine of the service only" in await public_pages.read(path, status=403)
    run = await public_pages.read(f"/runs/{RUN}")
    assert "Cancel this run" not in run
    assert "/verdicts" not in run
    compared = await public_pages.read("/compare?model=m&other=n")
    assert "on the machine of the service only" in compared
    visitor = next(cookie.value for cookie in public_pages.client.session.cookie_jar if cookie.key == COOKIE)
    form = {TOKEN_FIELD: sign(SECRET, "form", visitor.partition(".")[0]), "author": "eve", "text": "x"}
    for path in (f"/runs/{RUN}/cancel", PATH):
        async with public_pages.client.post(path, data=form) as response:
            assert response.status == 403
    assert public_pages.refusals("form_token") == 0
    assert public_pages.refusals("transcripts") == 5
    asked = {type(each).__name__ for each in public_pages.services.requests}
    assert not asked & {"CancelRunRequest", "CreateAnnotationRequest", "GetVerdictRequest", "CompareSamplesRequest"}
    assert "Success of each attack" in await public_pages.read(f"/runs/{RUN}/attacks")
