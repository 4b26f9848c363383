"""A team sees, changes and spends nothing of another one, by any method of any service."""

from __future__ import annotations

import re
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from tests.integration.support.all_services import Client, modules
from tests.integration.teams.cases import (
    CHANGES,
    CONVERSATION,
    CREATES,
    LISTS,
    MORE,
    READS,
    TURN,
    WITHOUT_THINGS,
    Make,
    Names,
)
from tests.integration.teams.conftest import Planted
from tests.integration.teams.planted import ROLES, World, import_task

from libra.core.errors import CallerError, Conflict, FailedPrecondition, NotFound, PermissionDenied
from libra.rpc.access.policy import PACKAGE, RULES
from libra.v1 import (
    arena_pb2,
    attack_pb2,
    gateway_pb2,
    model_pb2,
    ranking_pb2,
    run_pb2,
    schedule_pb2,
    token_pb2,
    webhook_pb2,
)

PLANTED_WORD = "crimson"
KEYS = ("RED_API_KEY", "COMMON_API_KEY", "NEW_API_KEY")
HINT = re.compile(r"(: did you mean .*|: valid names: .*|; none exists yet|; there are: .*)", re.DOTALL)
TIMES = {"createTime", "time", "latencySeconds", "revision", "lastUseTime", "seconds", "rubricHash"}
"""Fields that differ from call to call, and a hash that contains a name."""


def missing(names: Names) -> Names:
    """Return names like these, of nothing."""
    run = names.run[:-4] + ("0000" if not names.run.endswith("0000") else "1111")
    return Names(
        model="crimson-modal",
        task="crimson-tusk",
        run=run,
        verdict=names.verdict.replace(names.run, run),
        schedule="crimson-schedula",
        trigger="x" * len(names.trigger),
        webhook="crimson-webhoop",
        delivery=names.delivery[:-4] + "zzzz",
        dead_letter=names.dead_letter + 1000,
        token="crimson-tokan",
    )


async def outcome(client: Client, method: str, request: Any, names: Names) -> Any:
    """Return the reply or the error of a call, with a word in place of each name, and without hints of other names."""
    try:
        reply = await client.call(method, request)
    except CallerError as error:
        return type(error), names.hide(HINT.sub("", error.message)), error.field
    return names.hide(str(without_times(MessageToDict(reply) if reply is not None else {})))


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_times(each) for name, each in value.items() if name not in TIMES}
    return [without_times(each) for each in value] if isinstance(value, list) else value


def test_every_method_is_decided() -> None:
    named = READS.keys() | CHANGES.keys() | MORE.keys() | LISTS.keys() | CREATES | WITHOUT_THINGS
    by_rule = {method for method, rule in RULES.items() if rule.is_about_shared or not rule.is_for_teams}
    assert {f"{PACKAGE}{name}" for name in named} | by_rule == set(RULES)


async def another_team_cannot_tell_what_is_hidden_from_what_is_missing(planted: Planted) -> None:
    world, red, absent = planted.world, planted.red, missing(planted.red)
    differences: list[str] = []
    calls: list[tuple[str, Make]] = [*READS.items(), *MORE.items(), *CHANGES.items()]
    for method, make in calls:
        nothing = await outcome(world.admin("blue"), method, make(absent), absent)
        for role in ROLES:
            if role in RULES[PACKAGE + method].roles:
                hidden = await outcome(world.members["blue", role], method, make(red), red)
                if hidden != nothing or PLANTED_WORD in str(hidden).replace("crimson words", ""):
                    differences.append(f"{method} for {role}\n  hidden: {hidden}\n  missing: {nothing}")
    assert not differences, "\n".join(differences)
    await nothing_has_changed(world, red)


async def nothing_has_changed(world: World, red: Names) -> None:
    """Call every method as the owner: each thing is there, and a change has not been made before."""
    client, failures = world.admin("red"), []
    for method, make in [*READS.items(), *MORE.items(), *CHANGES.items()]:
        try:
            await client.call(method, make(red))
        except (NotFound, PermissionDenied) as error:
            failures.append((method, error.message))
        except CallerError:
            continue
    assert failures == []


async def what_all_teams_share_is_read_by_a_team_and_not_changed(planted: Planted) -> None:
    world, shared = planted.world, planted.shared
    refused, read = {}, {}
    for method, make in CHANGES.items():
        refused[method] = await outcome(world.admin("blue"), method, make(shared), shared)
    for method, make in READS.items():
        read[method] = await outcome(world.admin("blue"), method, make(shared), shared)
    # Tokens without a team are nothing that teams share.
    assert refused.pop("TokenService/RevokeToken")[0] is NotFound
    assert {method for method, result in refused.items() if result[0] is not PermissionDenied} == set()
    hidden = {method: result for method, result in read.items() if result[0] in (NotFound, PermissionDenied)}
    assert hidden == {}


async def no_list_and_no_board_contains_anything_of_another_team(planted: Planted) -> None:
    world, red = planted.world, planted.red
    found = []
    for turn in range(2):  # the second one is answered from caches
        for team in ("red", "blue"):
            for method, request in LISTS.items():
                text = str(MessageToDict(await world.admin(team).call(method, request)))
                sees_red = PLANTED_WORD in text or red.run in text
                if sees_red and team == "blue":
                    found.append((turn, method, text[:300]))
                if team == "red" and not sees_red and method != "TaskService/ListCatalogue":
                    found.append((turn, method, "red does not see its own"))
    assert found == []
    board = await world.operator.call("RankingService/GetBoard", ranking_pb2.GetBoardRequest())
    assert {"crimson-model", "azure-model", "common-model"} <= {row.model for row in board.board.rows}
    board = await world.admin("blue").call("RankingService/GetBoard", ranking_pb2.GetBoardRequest())
    assert {row.model for row in board.board.rows} == {"azure-model", "common-model", "refuser"}


async def what_concerns_all_teams_is_refused_to_a_team(planted: Planted) -> None:
    world = planted.world
    for method, rule in RULES.items():
        if not rule.is_for_teams:
            request = empty_request(method)
            for role in rule.roles & set(ROLES):
                result = await outcome(world.members["blue", role], method.removeprefix(PACKAGE), request, NOTHING)
                assert (result[0], "belongs to the team blue" in result[1]) == (PermissionDenied, True)


NOTHING = Names("-", "-", "-", "-", "-", "-", "-", "-", 0, "-")


def empty_request(method: str) -> Any:
    service, _, name = method.removeprefix(PACKAGE).partition("/")
    descriptor = modules()[service][0].DESCRIPTOR.services_by_name[service].methods_by_name[name]
    return getattr(modules()[service][0], descriptor.input_type.name)()


async def a_taken_name_says_nothing_of_its_owner(planted: Planted) -> None:
    blue = planted.world.admin("blue")
    model = model_pb2.Model(name="crimson-model", provider=model_pb2.PROVIDER_SCRIPTED, remote_model="careful")
    template = run_pb2.RunSpec(models=["refuser"], tasks=["arithmetic"])
    schedule = schedule_pb2.Schedule(name="crimson-schedule", on_trigger=True, template=template)
    webhook = webhook_pb2.Webhook(name="crimson-webhook", url="http://127.0.0.1:9/hook")
    for method, request, name in (
        ("ModelService/CreateModel", model_pb2.CreateModelRequest(model=model), model.name),
        ("ScheduleService/CreateSchedule", schedule_pb2.CreateScheduleRequest(schedule=schedule), schedule.name),
        ("WebhookService/CreateWebhook", webhook_pb2.CreateWebhookRequest(webhook=webhook), webhook.name),
    ):
        result = await outcome(blue, method, request, NOTHING)
        assert result[:2] == (Conflict, f"the name {name!r} is taken; use another name")
    token = token_pb2.CreateTokenRequest(name="crimson-token", role=token_pb2.ROLE_READER)
    assert (await outcome(blue, "TokenService/CreateToken", token, NOTHING))[0] is Conflict


async def teams_that_import_the_same_do_not_meet(planted: Planted) -> None:
    blue, red = planted.world.admin("blue"), planted.world.admin("red")
    imported = await import_task(blue, "crimson-task")
    assert (imported.created, imported.task.team) == (True, "blue")
    assert imported.task.version not in planted.red.verdict
    assert not (await import_task(blue, "crimson-task")).created
    assert not (await import_task(blue, "common-task")).created  # all teams share it
    figure = ranking_pb2.Capability(model="crimson-model", published=1, scale="x", zero=0, one=10, source="blue.csv")
    request = ranking_pb2.ImportCapabilitiesRequest(capabilities=[figure])
    await blue.call("RankingService/ImportCapabilities", request)
    for client, published in ((blue, 1), (red, 5), (planted.world.operator, 1)):
        listed = await client.call("RankingService/ListCapabilities", ranking_pb2.ListCapabilitiesRequest())
        assert [each.published for each in listed.capabilities if each.model == "crimson-model"] == [published]


async def answers_are_shared_within_a_team_only(planted: Planted) -> None:
    world = planted.world
    request = gateway_pb2.CompleteRequest(model="refuser", conversations=[CONVERSATION])
    callers = (world.admin("red"), world.admin("red"), world.admin("blue"), world.operator)
    ids = [(await each.call("GatewayService/Complete", request)).completions[0].id for each in callers]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


async def the_same_request_id_of_two_teams_creates_two_runs(planted: Planted) -> None:
    world = planted.world
    spec = run_pb2.RunSpec(models=["refuser"], tasks=["arithmetic"], samples_per_task=1)
    request = run_pb2.CreateRunRequest(spec=spec, request_id="nightly")
    callers = (world.admin("red"), world.admin("red"), world.admin("blue"), world.operator)
    runs = [(await each.call("RunService/CreateRun", request)).run for each in callers]
    assert [run.team for run in runs] == ["red", "red", "blue", ""]
    assert (runs[0].id == runs[1].id, len({run.id for run in runs})) == (True, 3)


async def a_run_without_a_team_belongs_to_the_team_whose_things_it_uses(planted: Planted) -> None:
    operator, red = planted.world.operator, planted.red
    spec = run_pb2.RunSpec(models=[red.model], tasks=["arithmetic"], samples_per_task=1)
    run = (await operator.call("RunService/CreateRun", run_pb2.CreateRunRequest(spec=spec))).run
    assert run.team == "red"
    spec.tasks[:] = ["*"]  # those that red sees
    run = (await operator.call("RunService/CreateRun", run_pb2.CreateRunRequest(spec=spec))).run
    names = {task.partition("@")[0] for task in run.spec.tasks}
    assert {"crimson-task", "common-task", "arithmetic"} <= names
    assert "azure-task" not in names
    spec.models.append("azure-model")
    result = await outcome(operator, "RunService/CreateRun", run_pb2.CreateRunRequest(spec=spec), NOTHING)
    assert result == (
        FailedPrecondition,
        "the run cannot be created: it uses what belongs to the teams blue and red; use that of one team",
        "spec",
    )


async def a_team_uses_only_keys_that_were_given_to_it(planted: Planted) -> None:
    world = planted.world

    def model(name: str, key: str, team: str = "") -> model_pb2.CreateModelRequest:
        made = model_pb2.Model(name=name, base_url="https://api.example.com/v1", api_key_env=key, team=team)
        made.provider = model_pb2.PROVIDER_OPENAI
        return model_pb2.CreateModelRequest(model=made)

    create, red, blue = "ModelService/CreateModel", world.admin("red"), world.admin("blue")
    await world.operator.call(create, model("theirs", "RED_API_KEY", "red"))
    await world.operator.call(create, model("ours", "COMMON_API_KEY"))
    assert (await red.call(create, model("also-theirs", "RED_API_KEY"))).model.team == "red"
    words = [(await outcome(blue, create, model("mine", key), NOTHING))[:2] for key in KEYS]
    assert [(kind, text.replace(key, "KEY")) for (kind, text), key in zip(words, KEYS, strict=True)] == [
        (FailedPrecondition, words[0][1].replace("RED_API_KEY", "KEY"))
    ] * 3


async def a_page_token_of_one_team_is_none_of_another(planted: Planted) -> None:
    request = run_pb2.ListRunsRequest(page_size=1)
    first = await planted.world.admin("red").call("RunService/ListRuns", request)
    request.page_token = first.next_page_token
    result = await outcome(planted.world.admin("blue"), "RunService/ListRuns", request, NOTHING)
    assert "is not a page token of this list" in result[1]


async def an_event_reaches_the_webhooks_of_its_team_and_of_the_operator(planted: Planted) -> None:
    """The webhook of all teams is told all events, and each team sees the deliveries of what it sees."""

    async def seen(team: str, webhook: str) -> int:
        request = webhook_pb2.ListDeliveriesRequest(webhook=webhook)
        client = planted.world.admin(team) if team else planted.world.operator
        return len((await client.call("WebhookService/ListDeliveries", request)).deliveries)

    of_operator = await seen("", "common-webhook")
    assert await seen("red", "common-webhook") < of_operator
    assert await seen("red", "crimson-webhook") > 0


async def the_arena_shows_what_all_teams_share(planted: Planted) -> None:
    operator, blue = planted.world.operator, planted.world.admin("blue")

    def enter(model: str) -> arena_pb2.EnterModelRequest:
        return arena_pb2.EnterModelRequest(entry=arena_pb2.ArenaEntry(model=model, maker="x"))

    result = await outcome(operator, "ArenaService/EnterModel", enter("crimson-model"), NOTHING)
    assert result[0] is NotFound
    await operator.call("ArenaService/EnterModel", enter("common-model"))
    listed = await blue.call("ArenaService/ListEntries", arena_pb2.ListEntriesRequest())
    assert [entry.model for entry in listed.entries] == ["common-model"]
    assert not listed.entries[0].problem


async def a_service_works_for_the_team_of_its_caller(planted: Planted) -> None:
    """The attack service asks the gateway with the sight of its caller: a model of its team, and no other."""
    for team, sees in (("red", True), ("blue", False)):
        request = attack_pb2.TransformRequest(attack="pair", messages=[TURN], attack_model=planted.red.model)
        request.target_model = request.judge_model = planted.red.model
        kind, text, _ = await outcome(planted.world.admin(team), "AttackService/Transform", request, NOTHING)
        assert (kind, "there is no model" in text) == (FailedPrecondition, not sees), text


CHECKS = (
    the_arena_shows_what_all_teams_share,
    a_service_works_for_the_team_of_its_caller,
    no_list_and_no_board_contains_anything_of_another_team,
    what_concerns_all_teams_is_refused_to_a_team,
    what_all_teams_share_is_read_by_a_team_and_not_changed,
    a_taken_name_says_nothing_of_its_owner,
    a_page_token_of_one_team_is_none_of_another,
    an_event_reaches_the_webhooks_of_its_team_and_of_the_operator,
    answers_are_shared_within_a_team_only,
    the_same_request_id_of_two_teams_creates_two_runs,
    a_run_without_a_team_belongs_to_the_team_whose_things_it_uses,
    a_team_uses_only_keys_that_were_given_to_it,
    another_team_cannot_tell_what_is_hidden_from_what_is_missing,
    teams_that_import_the_same_do_not_meet,
)
"""In an order in which none disturbs a later one: to plant takes longer than all of them."""


@pytest.mark.timeout(600)
async def test_a_team_meets_nothing_of_another_one(planted: Planted) -> None:
    failures = {}
    for check in CHECKS:
        try:
            await check(planted)
        except (AssertionError, CallerError) as error:
            failures[check.__name__] = f"{type(error).__name__}: {error}"
    assert not failures, "\n\n".join(f"{name}: {text}" for name, text in failures.items())
