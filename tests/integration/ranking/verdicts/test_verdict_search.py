"""Lists of verdicts by label, judge, score, category and text, in pages both ways, over gRPC and on a real store."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from tests.integration.support.ranking_world import FINISHED, batch, create_run, failed, section, serving

from libra.commitment.commitment import TaskDraw
from libra.core.errors import CallerError, Invalid, NotFound
from libra.ranking.verdicts import verdict_scan
from libra.ranking.verdicts.verdict_scan import ContentFilter, Position, ScanResult, VerdictScanner
from libra.rpc.client import call
from libra.store.client import Store
from libra.store.reports.verdict_search import VerdictFilter
from libra.store.rounds.rounds import RoundRecord
from libra.v1.completion_pb2 import Completion
from libra.v1.message_pb2 import Message
from libra.v1.ranking_pb2 import (
    GetVerdictRequest,
    GetVerdictResponse,
    ListVerdictsRequest,
    ListVerdictsResponse,
    ReportFailuresRequest,
    ReportFailuresResponse,
    TextPlace,
)
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.task_pb2 import Category, Sample, Task
from libra.v1.verdict_pb2 import JudgeVersion, Outcome, Verdict

SECONDS = 20
HOSTILE = [
    "<script>alert(1)</script>",
    "a\\b",
    "$where: 1",
    "{'$gt': ''}",
    "(a+)+$",
    "[unclosed",
    "%00 and \u202e",
    "\u001b[31mred",
    "Straße ÄÖ",
    "line\nbreak",
]


@dataclass
class World:
    store: Store
    stub: RankingServiceStub
    run: str

    async def page(self, **fields: Any) -> ListVerdictsResponse:
        request = ListVerdictsRequest(**({"run": self.run} | fields))
        response: ListVerdictsResponse = await call(self.stub.ListVerdicts, request, SECONDS)
        return response

    async def samples(self, **fields: Any) -> list[int]:
        return [verdict.sample for verdict in (await self.page(**fields)).verdicts]

    async def get(self, verdict: str, **fields: Any) -> GetVerdictResponse:
        request = GetVerdictRequest(id=verdict)
        if fields:
            request.list.CopyFrom(ListVerdictsRequest(**({"run": self.run} | fields)))
        response: GetVerdictResponse = await call(self.stub.GetVerdict, request, SECONDS)
        return response


async def write_verdicts(store: Store, task: str, verdicts: Sequence[Verdict], *, model: str = "one") -> str:
    part = section(task, len(verdicts))
    run = await create_run(store, [part], model)
    made = batch(run, part, [], model=model)
    made.verdicts.extend(verdicts)
    await store.verdicts.write([made])
    await store.runs.mark_ended(run, FINISHED)
    return run


async def answer(store: Store, name: str, text: str, *messages: str) -> str:
    turns = [Message(role="user", content=content) for content in messages]
    await store.completions.insert_or_get(Completion(id=name, text=text), turns)
    return name


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Write twelve verdicts of one model; of every three, the first is right, the second wrong, the third undecided."""
    other = JudgeVersion(name="contains", version="2", rubric_hash="bbbbbbbbbbbb")
    kinds = [(Outcome.OUTCOME_SCORED, 1.0), (Outcome.OUTCOME_SCORED, 0.0), (Outcome.OUTCOME_UNJUDGED, 0.0)]
    verdicts = []
    for sample in range(12):
        outcome, score = kinds[sample % 3]
        judge = other if sample >= 9 else JudgeVersion(name="refusal", version="1")
        completion = await answer(store, f"one-{sample}", f"Answer {sample}: {HOSTILE[sample % 10]}", f"Ask {sample}")
        label = {1.0: "refused", 0.0: "complied"}[score] if outcome == Outcome.OUTCOME_SCORED else ""
        verdicts.append(
            Verdict(
                sample=sample,
                outcome=outcome,
                score=score,
                label=label,
                judge=judge,
                completion_id=completion,
                rationale=f"reason {sample}",
            )
        )
    verdicts[0].log.append(Message(role="attacker", content="only in the log"))
    run = await write_verdicts(store, "harm@1", verdicts)
    async with serving(store) as stub:
        yield World(store, stub, run)


SELECTIONS: list[tuple[dict[str, object], list[int]]] = [
    ({"label": "refused"}, [0, 3, 6, 9]),
    ({"judge": "contains"}, [9, 10, 11]),
    ({"judge": "contains@2"}, [9, 10, 11]),
    ({"judge": "contains@1"}, []),
    ({"min_score": 0.5}, [0, 3, 6, 9]),
    ({"max_score": 0.5}, [1, 4, 7, 10]),
    ({"min_score": 0.0}, [0, 1, 3, 4, 6, 7, 9, 10]),
    ({"min_score": 0.2, "max_score": 0.8}, []),
    ({"min_score": 0.5, "outcome": Outcome.OUTCOME_UNJUDGED}, []),
    ({"category": Category.CATEGORY_DIRECT_RISKY, "label": "complied"}, [1, 4, 7, 10]),
    ({"category": Category.CATEGORY_CAPABILITY}, []),
    ({"label": "{'$gt': ''}"}, []),
]


async def test_fields_select_verdicts(world: World) -> None:
    for fields, samples in SELECTIONS:
        page = await world.page(count=True, **fields)
        assert [verdict.sample for verdict in page.verdicts] == samples, fields
        assert page.total == len(samples)


async def test_any_text_is_found_as_it_stands(world: World) -> None:
    for text in HOSTILE:
        expected = [sample for sample in range(12) if HOSTILE[sample % 10] == text]
        assert await world.samples(text=text) == expected, text
    assert await world.samples(text="straße äö") == [8]


async def test_text_is_found_in_prompts_reasons_and_logs(world: World) -> None:
    assert await world.samples(text="ask 11") == [11]
    assert await world.samples(text="REASON 4") == [4]
    assert await world.samples(text="only in the log") == [0]
    assert await world.samples(text="ask 1", label="complied") == [1, 10]
    found = await world.page(text="nowhere")
    assert (list(found.verdicts), found.searched, found.is_search_incomplete) == ([], 12, False)
    assert not found.HasField("total")


async def test_pages_lead_forwards_and_back_again(world: World) -> None:
    for fields in ({}, {"text": "answer"}, {"min_score": 0.0}):
        pages = [await world.page(page_size=5, **fields)]
        assert not pages[0].previous_page_token
        while pages[-1].next_page_token:
            pages.append(await world.page(page_size=5, page_token=pages[-1].next_page_token, **fields))
        shown = [[verdict.sample for verdict in page.verdicts] for page in pages]
        back = await world.page(page_size=5, page_token=pages[-1].previous_page_token, **fields)
        assert [verdict.sample for verdict in back.verdicts] == shown[-2]
        again = await world.page(page_size=5, page_token=back.next_page_token, **fields)
        assert [verdict.sample for verdict in again.verdicts] == shown[-1]
        while back.previous_page_token:
            back = await world.page(page_size=5, page_token=back.previous_page_token, **fields)
        assert [verdict.sample for verdict in back.verdicts] == shown[0]


async def test_a_page_token_belongs_to_its_filters(world: World) -> None:
    token = (await world.page(page_size=2, label="refused")).next_page_token
    for fields in (
        {"label": "complied"},
        {"label": "refused", "text": "a"},
        {"label": "refused", "min_score": 0.0},
        {},
    ):
        with pytest.raises(Invalid, match="not a page token of this list"):
            await world.page(page_size=2, page_token=token, **fields)
    forged = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    with pytest.raises(Invalid):
        await world.page(page_size=2, label="refused", page_token=forged)


BAD_FIELDS: list[tuple[dict[str, object], str]] = [
    ({"text": "x" * 201}, "text"),
    ({"text": "a\0b"}, "text"),
    ({"reason": "x" * 1001}, "reason"),
    ({"min_score": -0.1}, "min_score"),
    ({"max_score": float("nan")}, "max_score"),
    ({"outcome": 99}, "outcome"),
    ({"category": 99}, "category"),
]


async def test_a_bad_filter_names_its_field(world: World) -> None:
    for fields, field in BAD_FIELDS:
        with pytest.raises(CallerError) as caught:
            await world.page(**fields)
        assert caught.value.field == field


async def test_a_search_stops_at_its_time_limit_and_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict_scan, "CHUNK_VERDICTS", 4)
    ticks = iter(range(0, 1000, 10))
    scanner = VerdictScanner(world.store, lambda: float(next(ticks)))
    position, pages = Position(), []
    while True:
        page = await scanner.scan(VerdictFilter(world.run), ContentFilter("answer 1"), position, 50)
        pages.append(page)
        if not page.end:
            break
        position = Position(page.end)
    assert [[verdict.sample for verdict in page.verdicts] for page in pages] == [[1], [], [10, 11], []]
    assert [page.is_incomplete for page in pages] == [True, True, True, False]
    assert [page.searched for page in pages] == [4, 4, 4, 0]


async def test_a_text_is_found_in_all_runs_the_newest_first_page_after_page(world: World) -> None:
    runs = [world.run]
    for number in range(3):
        name = await answer(world.store, f"later-{number}", "say SECRET word" if number != 1 else "nothing", "Ask")
        stored = Verdict(sample=number, outcome=Outcome.OUTCOME_SCORED, score=1.0, completion_id=name, label="refused")
        runs.append(await write_verdicts(world.store, f"later{number}@1", [stored]))
    found = await world.page(run="", text="secret WORD")
    assert [verdict.run for verdict in found.verdicts] == [runs[3], runs[1]]
    assert (found.searched, found.next_page_token, found.previous_page_token) == (15, "", "")
    pages = [await world.page(run="", text="ask", page_size=5)]
    while pages[-1].next_page_token:
        pages.append(await world.page(run="", text="ask", page_size=5, page_token=pages[-1].next_page_token))
    assert {len(page.verdicts) for page in pages[:-1]} == {5}
    assert not any(page.previous_page_token for page in pages)
    shown = [verdict.id for page in pages for verdict in page.verdicts]
    assert len(shown) == len(set(shown)) == 15
    assert [verdict.partition("/")[0] for verdict in shown] == [*reversed(runs[1:]), *[world.run] * 12]
    assert [verdict.run for verdict in (await world.page(run="", text="ask", judge="contains")).verdicts] == runs[
        :1
    ] * 3
    for fields in ({}, {"label": "refused"}, {"reason": "x"}):
        with pytest.raises(NotFound, match="give a text to find in all runs"):
            await world.page(run="", **fields)


async def test_a_search_through_all_runs_stops_at_its_time_limit_and_goes_on(world: World) -> None:
    stored = Verdict(sample=0, outcome=Outcome.OUTCOME_SCORED, rationale="needle")
    oldest = world.run
    newest = await write_verdicts(world.store, "later@1", [stored])
    await write_verdicts(world.store, "empty@1", [])
    ticks = iter(range(0, 1000, 10))
    scanner = VerdictScanner(world.store, lambda: float(next(ticks)))
    position, pages = Position(), list[ScanResult]()
    while not pages or pages[-1].end:
        pages.append(await scanner.search_runs(VerdictFilter(""), ContentFilter("needle"), position, 50))
        position = Position(pages[-1].end)
    assert [[verdict.run for verdict in page.verdicts] for page in pages] == [[], [newest], []]
    assert [page.end for page in pages] == [f"{newest}/", f"{oldest}/", ""]
    assert [page.is_incomplete for page in pages] == [True, True, False]


async def test_excerpts_show_the_text_in_each_part_of_the_trial(world: World) -> None:
    long = "a" * 300 + "<b>Needle</b>" + "z" * 300
    name = await answer(world.store, "found", long, "no", f"{long}\nneedle again")
    verdict = Verdict(sample=0, outcome=Outcome.OUTCOME_SCORED, completion_id=name, rationale="it says NEEDLE")
    verdict.log.append(Message(role="attacker", content="needle first"))
    run = await write_verdicts(world.store, "later@1", [verdict])
    page = await world.page(run=run, text="needle", excerpts=True)
    assert [TextPlace.Name(each.place)[11:] for each in page.excerpts] == ["PROMPT", "ATTACK", "ANSWER", "REASON"]
    prompt, attack, said, reason = page.excerpts
    assert (prompt.hit, said.hit, reason.hit) == ("Needle", "Needle", "NEEDLE")
    assert (said.before, said.after) == ("…" + "a" * 96 + "<b>", "</b>" + "z" * 95 + "…")
    assert (attack.before, attack.after, reason.before, reason.after) == ("", " first", "it says ", "")
    assert {each.verdict for each in page.excerpts} == {page.verdicts[0].id}
    assert not page.verdicts[0].HasField("completion")
    assert not (await world.page(run=run, text="needle")).excerpts
    assert not (await world.page(run=run, excerpts=True)).excerpts
    await seal(world.store, "later")
    sealed = await world.page(run="", text="needle", excerpts=True)
    assert (list(sealed.verdicts), list(sealed.excerpts)) == ([], [])


async def test_a_verdict_has_its_conversation_its_judge_and_its_neighbours(world: World) -> None:
    messages = [Message(role="user", content="Before")]
    task = Task(name="harm", version="1", sample_count=12)
    await world.store.tasks.add(
        task, [Sample(ordinal=n, messages=messages, fields={"answer": str(n)}) for n in range(12)]
    )
    ids = [verdict.id for verdict in (await world.page()).verdicts]
    found = await world.get(ids[3])
    assert (found.previous_id, found.next_id) == (ids[2], ids[4])
    assert found.verdict.completion.text.startswith("Answer 3")
    assert found.verdict.messages[0].content == "Ask 3"
    assert list(found.plain_messages) == messages
    assert dict(found.sample_fields) == {"answer": "3"}
    found = await world.get(ids[3], label="refused")
    assert (found.previous_id, found.next_id) == (ids[0], ids[6])
    found = await world.get(ids[3], text="answer 1")
    assert (found.previous_id, found.next_id) == (ids[1], ids[10])
    assert (await world.get(ids[0])).previous_id == ""
    assert (await world.get(ids[11])).next_id == ""


async def test_an_unknown_verdict_is_not_found(world: World) -> None:
    for verdict in ("", "x", "a/b/c/d/e/f/g", "$ne", "a/0/m/t@1/none/00000000/0000"):
        with pytest.raises(NotFound) as caught:
            await world.get(verdict)
        assert caught.value.field == "id"
    first = (await world.page(page_size=1)).verdicts[0]
    with pytest.raises(Invalid, match="belongs to the run"):
        await world.get(first.id, run="another")


async def seal(store: Store, task: str) -> None:
    """Open a round that draws from a task: its samples are sealed from now on."""
    draw = TaskDraw(task, f"{task}@1", 1, 0, [[0, 999]], 2)
    record = RoundRecord("2027Q1", b"seed", key_hash="", tasks=(draw,), samples=1, follows="")
    await store.rounds.publish(await store.rounds.reserve(record), b"{}")


async def test_no_text_of_a_sealed_sample_can_be_found(world: World) -> None:
    verdict = (await world.page(page_size=1)).verdicts[0].id
    assert await world.samples(text="answer 7") == [7]
    await seal(world.store, "harm")
    for content in ({"text": "answer 7"}, {"text": "reason"}, {"reason": "reason …"}):
        page = await world.page(count=True, **content)
        assert (list(page.verdicts), page.next_page_token, page.HasField("total")) == ([], "", False)
    found = await world.get(verdict)
    assert found.verdict.sealed
    assert found.verdict.rationale == ""
    assert [*found.verdict.messages, *found.plain_messages, *found.sample_fields] == []
    assert (await world.get(verdict, text="answer")).next_id == ""
    [group] = (await report(world)).groups
    assert "withheld" in group.reason
    assert group.example_reason == ""


async def report(world: World, run: str = "") -> ReportFailuresResponse:
    request = ReportFailuresRequest(run=run or world.run)
    response: ReportFailuresResponse = await call(world.stub.ReportFailures, request, SECONDS)
    return response


async def test_failures_are_grouped_by_reason_and_each_group_leads_to_its_verdicts(world: World) -> None:
    reasons = [
        *(f"HTTP 429 from https://api.example/v{n}: request req_{n}a was refused" for n in range(5)),
        *(f"HTTP 500 from https://api.example/v{n}: request req_{n}a was refused" for n in range(2)),
        'the judge wrote "a thing"',
        'the judge wrote "quite another thing"',
    ]
    part = section("harm@1", len(reasons))
    run = await create_run(world.store, [part], "one")
    made = failed(run, part, range(len(reasons)))
    for verdict, reason in zip(made.verdicts, reasons, strict=True):
        verdict.rationale = reason
    await world.store.verdicts.write([made])
    found = await report(world, run)
    assert [(group.reason, group.count) for group in found.groups] == [
        ("HTTP 429 from … request … was refused", 5),
        ("HTTP 500 from … request … was refused", 2),
        ('the judge wrote "…"', 2),
    ]
    assert found.left_out == 0
    assert found.groups[0].example_reason == reasons[0]
    assert list(found.groups[0].models) == ["one"]
    for group in found.groups:
        listed = await world.page(run=run, outcome=group.outcome, reason=group.reason)
        assert len(listed.verdicts) == group.count
        assert listed.verdicts[0].id == group.example
    with pytest.raises(NotFound):
        await report(world, "unknown")


@pytest.mark.alone
async def test_ten_thousand_verdicts_are_listed_counted_and_searched_within_a_second(store: Store) -> None:
    size = 10_000
    part = section("big@1", size)
    run = await create_run(store, [part], "one")
    made = [batch(run, part, [1, 0] * 32, first=first) for first in range(0, size - 63, 64)]
    await store.verdicts.write(made)
    async with serving(store) as stub:
        world = World(store, stub, run)
        started = time.monotonic()
        page = await world.page(count=True, max_score=0.5)
        middle = await world.page(page_token=page.next_page_token, max_score=0.5)
        elapsed = time.monotonic() - started
    assert page.total == size // 64 * 32
    assert middle.verdicts[0].sample == 101
    assert elapsed < 2, f"two pages took {elapsed:.2f} s"
