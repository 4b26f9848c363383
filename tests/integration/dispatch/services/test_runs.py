"""Create, list, watch and cancel runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from ulid import ULID

from libra.core.errors import Conflict, FailedPrecondition, Invalid, NotFound, Unavailable
from libra.core.outcome_names import total_of
from libra.rpc.client import call, stream
from libra.store.client import Store
from libra.store.runs import RunRecord
from libra.v1.batch_pb2 import BatchHeader, VerdictBatch
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.run_pb2 import CancelRunRequest, ListRunsRequest, Run, RunState, WatchRunRequest
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import Outcome, Verdict

from .caller import CARD, SECONDS, Catalogues, Dispatch


async def test_a_created_run_is_complete_and_runs_are_listed_newest_first(dispatch: Dispatch) -> None:
    task = (await dispatch.import_task()).task
    created = await dispatch.create(
        models=["refuser", "complier", "refuser"], attacks=["none", "few_shots"], samples_per_task=10, epochs=2, seed=7
    )
    run = created.run
    assert (run.trials, run.state, run.revision) == (40, RunState.RUN_STATE_RUNNING, 1)
    assert list(run.spec.models) == ["refuser", "complier"]
    assert list(run.spec.tasks) == [f"mine@{task.version}"]
    assert "few_shots is not applied to mine" in created.warnings[0]
    assert await dispatch.run(run.id) == run
    others = [(await dispatch.create(name=f"run {n}")).run.id for n in range(4)]
    ids: list[str] = []
    request = ListRunsRequest(page_size=2)
    while not ids or request.page_token:
        page = await call(dispatch.runs.ListRuns, request, SECONDS)
        ids += [listed.id for listed in page.runs]
        request.page_token = page.next_page_token
    assert ids == [*reversed(others), run.id]


def panel(members: str) -> dict[str, Any]:
    """Return spec fields for a panel of these judges, which compare with the answer or query a model."""
    return {
        "judges": {"mine": "panel"},
        "judge_options": {"members": members, "rubric": "Is it right?"},
        "judge_model": "complier",
    }


async def test_an_invalid_spec_creates_no_run_and_names_the_field(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    await dispatch.import_task(CARD.replace("mine", "asked").replace("exact", "model").replace("field", "rubric"))
    invalid: list[tuple[dict[str, Any], str, str]] = [
        ({"models": []}, "spec.models", "there are: complier, refuser"),
        ({"models": ["refusr"]}, "spec.models[0]", "did you mean refuser"),
        ({"tasks": []}, "spec.tasks", "at least one task"),
        ({"tasks": ["mine", "mime"]}, "spec.tasks[1]", "did you mean mine"),
        ({"tasks": ["mine@000000000000"]}, "spec.tasks[0]", "did you mean mine"),
        ({"tasks": ["over_sensitiv"]}, "spec.tasks[0]", "did you mean over_sensitive"),
        ({"tasks": ["over_sensitive"]}, "spec.tasks", "selects no task"),
        ({"attacks": ["few_shot"]}, "spec.attacks[0]", "did you mean few_shots"),
        ({"attacks": ["few_shots"]}, "spec.attacks", "no task is left"),
        ({"samples_per_task": -3}, "spec.samples_per_task", "-3"),
        ({"epochs": -1}, "spec.epochs", "-1"),
        ({"judges": {"mine": "exakt"}}, "spec.judges[mine]", "did you mean exact"),
        ({"judges": {"mime": "exact"}}, "spec.judges[mime]", "did you mean mine"),
        ({"judges": {"mine": "refusal"}}, "spec.judges[mine]", "needs the option 'want'"),
        ({"tasks": ["asked"]}, "spec.judges[asked]", "judge_model"),
        ({"judge_model": "compliar"}, "spec.judge_model", "did you mean complier"),
        (panel("exact,refusl"), "spec.judges[mine]", "did you mean refusal"),
        (panel("exact,model:compliar"), "spec.judges[mine]", "did you mean complier"),
        (panel("exact"), "spec.judges[mine]", "from 2 to 9 members"),
        ({"parameters": GenerationParameters(temperature=3)}, "spec.parameters.temperature", "from 0 to 2"),
        ({"parameters": GenerationParameters(max_tokens=-1)}, "spec.parameters.max_tokens", "-1"),
    ]
    for changes, field, message in invalid:
        with pytest.raises(Invalid) as caught:
            await dispatch.create(**changes)
        assert caught.value.field == field, changes
        assert message in caught.value.message, changes
    with pytest.raises(Invalid) as caught:
        await dispatch.create(request_id="r" * 65)
    assert caught.value.field == "request_id"
    assert (await call(dispatch.runs.ListRuns, ListRunsRequest(), SECONDS)).runs == []


async def test_a_repeat_of_a_request_returns_the_first_run(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    first, second = await asyncio.gather(*(dispatch.create(request_id="once") for _ in range(2)))
    assert first.run == second.run
    assert (await dispatch.create(request_id="once")).run == first.run
    assert (await dispatch.create(request_id="twice")).run.id != first.run.id
    assert len((await call(dispatch.runs.ListRuns, ListRunsRequest(), SECONDS)).runs) == 2


async def test_a_request_id_of_another_request_is_a_conflict(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    first = await dispatch.create(request_id="once", judges={"mine": "exact"})
    same: dict[str, Any] = {"judges": {"mine": "exact"}}
    other_requests: list[dict[str, Any]] = [
        {},
        same | {"epochs": 3},
        same | {"models": ["deleted-since"]},
        same | {"models": ["refuser", "complier"]},
        same | {"parameters": GenerationParameters(temperature=0)},
        {"judges": {"mine": "exact", "other": "exact"}},
    ]
    for changes in other_requests:
        with pytest.raises(Conflict, match=first.run.id) as caught:
            await dispatch.create(request_id="once", **changes)
        assert caught.value.field == "request_id", changes
    assert (await dispatch.create(request_id="once", **same)).run == first.run
    runs = (await call(dispatch.runs.ListRuns, ListRunsRequest(), SECONDS)).runs
    assert [run.id for run in runs] == [first.run.id]


async def test_of_two_simultaneous_requests_with_one_request_id_the_second_is_a_conflict(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    creating = [dispatch.create(request_id="once", epochs=epochs) for epochs in (1, 2, 3, 4)]
    results = await asyncio.gather(*creating, return_exceptions=True)
    assert sum(isinstance(result, Conflict) for result in results) == 3
    assert len((await call(dispatch.runs.ListRuns, ListRunsRequest(), SECONDS)).runs) == 1


async def test_a_run_without_a_stored_hash_is_returned_for_every_request(dispatch: Dispatch, store: Store) -> None:
    await dispatch.import_task()
    first = (await dispatch.create()).run
    record = await store.runs.get(first.id)
    assert record
    old = Run(id=str(ULID()), spec=first.spec, state=first.state)
    await store.runs.insert(RunRecord(run=old, sections=record.sections, request_id="old"))
    assert (await dispatch.create(request_id="old", epochs=3)).run.id == old.id


async def test_a_run_is_cancelled_once(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    run = (await dispatch.create()).run
    cancelled = (await call(dispatch.runs.CancelRun, CancelRunRequest(id=run.id), SECONDS)).run
    assert (cancelled.state, cancelled.revision) == (RunState.RUN_STATE_CANCELLED, 2)
    assert cancelled.HasField("end_time")
    assert (await call(dispatch.runs.CancelRun, CancelRunRequest(id=run.id), SECONDS)).run == cancelled


async def test_a_watch_reports_each_change_and_ends_with_the_run(dispatch: Dispatch) -> None:
    task = (await dispatch.import_task()).task
    run = (await dispatch.create(models=["refuser", "complier"])).run
    watch = stream(dispatch.runs.WatchRun, WatchRunRequest(id=run.id), SECONDS)
    assert (await anext(watch)).run == run
    header = BatchHeader(
        run=run.id, model="complier", task=f"mine@{task.version}", attack="none", category=Category.CATEGORY_CAPABILITY
    )
    outcomes = [Outcome.OUTCOME_SCORED, Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FAILED]
    verdicts = [Verdict(sample=n, outcome=outcome) for n, outcome in enumerate(outcomes)]
    verdicts[1].fields["response"] = "truncated"
    await dispatch.store.verdicts.write([VerdictBatch(header=header, verdicts=verdicts)])
    moved = (await anext(watch)).run
    assert (moved.counts.scored, moved.counts.failed, moved.revision) == (2, 1, 4)
    assert [(one.model, total_of(one.counts), one.responses.truncated) for one in moved.models] == [
        ("refuser", 0, 0),
        ("complier", 3, 1),
    ]
    await call(dispatch.runs.CancelRun, CancelRunRequest(id=run.id), SECONDS)
    rest = [response.run async for response in watch]
    assert [(last.state, last.revision) for last in rest] == [(RunState.RUN_STATE_CANCELLED, 5)]

    later = [response.run async for response in stream(dispatch.runs.WatchRun, WatchRunRequest(id=run.id), SECONDS)]
    resumed = WatchRunRequest(id=run.id, after_revision=5)
    assert later == rest == [response.run async for response in stream(dispatch.runs.WatchRun, resumed, SECONDS)]
    with pytest.raises(NotFound):
        await anext(stream(dispatch.runs.WatchRun, WatchRunRequest(id="x"), SECONDS))


async def test_no_run_is_created_while_the_catalogues_are_unavailable(
    dispatch: Dispatch, catalogues: Catalogues
) -> None:
    await dispatch.import_task()
    await catalogues.server.stop(0)
    with pytest.raises(Unavailable):
        await dispatch.create()
    assert (await call(dispatch.runs.ListRuns, ListRunsRequest(), SECONDS)).runs == []


async def test_only_a_finished_run_is_judged_again(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    run = (await dispatch.create()).run
    rejudge: dict[str, Any] = {"models": [], "tasks": [], "judges": {"*": "number"}}
    for changes, error, message in [
        ({"rejudges": "x"}, NotFound, "there is no run 'x'"),
        ({"rejudges": run.id}, FailedPrecondition, "is still running"),
    ]:
        with pytest.raises(error) as caught:
            await dispatch.create(**rejudge, **changes)
        assert message in caught.value.message
        assert caught.value.field == "spec.rejudges"
    await call(dispatch.runs.CancelRun, CancelRunRequest(id=run.id), SECONDS)
    with pytest.raises(FailedPrecondition, match="was cancelled"):
        await dispatch.create(**rejudge, rejudges=run.id)
    other = (await dispatch.create(epochs=2)).run
    await dispatch.store.runs.mark_ended(other.id, RunState.RUN_STATE_FINISHED)
    again = (await dispatch.create(**rejudge, rejudges=other.id)).run
    assert (again.trials, again.spec.rejudges, dict(again.spec.judges)) == (other.trials, other.id, {"mine": "number"})
    assert list(again.spec.models) == ["refuser"]
    with pytest.raises(Invalid) as caught_option:
        await dispatch.create(**rejudge, rejudges=other.id, judge_options={"feild": "answer"})
    assert caught_option.value.field == "spec.judges[mine]"
