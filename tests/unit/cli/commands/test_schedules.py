from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.cli.scripted_services import ScriptedServices

from libra.core.errors import Invalid
from libra.v1.run_pb2 import RunSpec
from libra.v1.schedule_pb2 import (
    CreateScheduleResponse,
    Firing,
    FiringCause,
    FiringState,
    GetScheduleResponse,
    ListFiringsResponse,
    ListSchedulesResponse,
    MissedPolicy,
    OverlapPolicy,
    Schedule,
    TriggerScheduleResponse,
)

NIGHTLY = Schedule(
    name="nightly",
    cron="0 2 * * *",
    zone="Europe/Berlin",
    template=RunSpec(models=["mine"], tasks=["*"]),
    overlap=OverlapPolicy.OVERLAP_POLICY_SKIP,
    missed=MissedPolicy.MISSED_POLICY_CATCH_UP,
)
NIGHTLY.next_time.FromDatetime(datetime(2026, 7, 1, 0, tzinfo=UTC))
CREATE = ("schedule", "create", "nightly", "--cron", "0 2 * * *", "--zone", "Europe/Berlin")


def firing(state: FiringState.ValueType, **fields: str) -> Firing:
    made = Firing(schedule="nightly", cause=FiringCause.FIRING_CAUSE_TIME, state=state, **fields)  # type: ignore[arg-type]  # each by its name
    made.time.CopyFrom(NIGHTLY.next_time)
    return made


FIRINGS = [
    firing(FiringState.FIRING_STATE_STARTED, run="01RUN"),
    firing(FiringState.FIRING_STATE_SKIPPED, reason="the run 01RUN had not ended"),
]


def test_a_schedule_is_created_from_the_options_of_a_run_and_shows_its_next_times(services: ScriptedServices) -> None:
    services.replies["CreateSchedule"] = CreateScheduleResponse(
        schedule=NIGHTLY, next_times=[NIGHTLY.next_time], trigger_token="tok", warnings=["few_shots is not applied"]
    )
    options = ("--model", "mine", "--task", "*", "--samples", 5, "--missed", "catch-up", "--overlap", "queue")
    result = services.libra(*CREATE, *options)
    assert result.exit_code == 0, result.output
    assert "2026-07-01 02:00 CEST (2026-07-01 00:00 UTC)" in result.stdout
    assert "token: tok" in result.stdout
    assert "note: few_shots is not applied" in result.stderr
    [request] = services.requests
    assert request.schedule.template == RunSpec(models=["mine"], tasks=["*"], samples_per_task=5)
    assert request.schedule.overlap == OverlapPolicy.OVERLAP_POLICY_QUEUE
    assert request.schedule.missed == MissedPolicy.MISSED_POLICY_CATCH_UP
    assert not request.preview


def test_a_preview_says_that_nothing_was_created(services: ScriptedServices) -> None:
    services.replies["CreateSchedule"] = CreateScheduleResponse(schedule=NIGHTLY)
    result = services.libra(*CREATE, "--model", "mine", "--task", "*", "--preview")
    assert "would be created" in result.stdout
    assert services.requests[0].preview


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("schedule.cron", "--cron: wrong"),
        ("schedule.zone", "--zone: wrong"),
        ("schedule.name", "SCHEDULE: wrong"),
        ("schedule.template.tasks[0]", "--task: wrong"),
        ("schedule.template.models[0]", "t.yaml, line 1: models[0]: wrong"),
    ],
)
def test_an_error_names_the_option_or_the_line(
    services: ScriptedServices, tmp_path: Path, field: str, shown: str
) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("models: ['{model}']\n")
    services.replies["CreateSchedule"] = Invalid("wrong", field=field)
    result = services.libra("schedule", "create", "s", "--on-model", "*", "--spec", path, "--task", "a")
    assert result.exit_code == 2
    assert shown in result.stderr


def test_a_trigger_reads_its_token_from_a_file(services: ScriptedServices, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("tok\n")
    services.replies["TriggerSchedule"] = TriggerScheduleResponse(firing=FIRINGS[0])
    result = services.libra("schedule", "trigger", "nightly", "--token-file", path, "--model", "m", "--request-id", "r")
    assert result.exit_code == 0, result.output
    [request] = services.requests
    assert (request.token, request.model, request.request_id) == ("tok", "m", "r")
    path.write_bytes(b"\xff")
    assert services.libra("schedule", "trigger", "nightly", "--token-file", path).exit_code == 2


def test_schedules_and_firings_fit_a_terminal_and_have_json(services: ScriptedServices) -> None:
    services.replies |= {
        "ListSchedules": ListSchedulesResponse(schedules=[NIGHTLY, Schedule(name="p", on_model="*", paused=True)]),
        "GetSchedule": GetScheduleResponse(schedule=NIGHTLY, next_times=[NIGHTLY.next_time]),
        "ListFirings": ListFiringsResponse(firings=FIRINGS),
    }
    listed = services.libra("schedule", "list")
    assert "0 2 * * * Europe/Berlin" in listed.stdout
    assert "paused" in listed.stdout
    shown = services.libra("schedule", "show", "nightly")
    assert "catch-up" in shown.stdout
    assert "2026-07-01 02:00 CEST" in shown.stdout
    firings = services.libra("schedule", "firings")
    assert "the run 01RUN had not ended" in " ".join(firings.stdout.split())
    assert max(len(line) for each in (listed, shown, firings) for line in each.stdout.splitlines()) <= 80
    for command in (("list",), ("show", "nightly"), ("firings", "nightly")):
        assert json.loads(services.libra("schedule", *command, "--json").stdout)
