from __future__ import annotations

import json

import pytest
from tests.unit.cli.scripted_services import ScriptedServices, longest_line

from libra.core.errors import NotFound
from libra.v1.judge_pb2 import ConstantScore, ScoreConstantsRequest, ScoreConstantsResponse, TaskConstants
from libra.v1.task_pb2 import (
    CatalogueEntry,
    Category,
    GetTaskResponse,
    JudgeSpec,
    ListCatalogueResponse,
    ListSamplesResponse,
    ListTasksResponse,
    Sample,
    Task,
)

RISKY = Category.CATEGORY_DIRECT_RISKY
CONFAIDE = Task(name="confaide", version="1", category=RISKY, judge=JudgeSpec(name="mixed"), caveat="Talk wins.")
HARM = Task(name="physical_safety_instructions_unsafe", version="2", category=RISKY, judge=JudgeSpec(name="harm"))
ABSENT = CatalogueEntry(task=Task(name="bbq", category=RISKY, judge=JudgeSpec(name="choice")))
SCORES = [
    ConstantScore(name="yes", language="en", text="Yes.", score=0.5, n=40),
    ConstantScore(name="no", language="en", text="No.", score=0.25, n=40),
    ConstantScore(name="A", language="en", text="A"),
    ConstantScore(name="refusal", language="en", text="I can't.", score=1, n=40, by_design=True),
    ConstantScore(name="empty talk", language="en", text="Well.", score=0.68, n=40, exceeds_bound=True),
]


def scored(task: Task, *scores: ConstantScore, not_tried: str = "") -> ScoreConstantsResponse:
    name = f"{task.name}@{task.version}"
    constants = TaskConstants(
        task=name,
        category=task.category,
        judge=task.judge.name,
        samples=40,
        scores=scores,
        not_tried=not_tried,
        caveat=task.caveat,
    )
    return ScoreConstantsResponse(tasks=[constants])


@pytest.fixture
def services(services: ScriptedServices) -> ScriptedServices:
    samples = [Sample(ordinal=n, id=str(n)) for n in range(40)]
    services.replies |= {
        "ListTasks": ListTasksResponse(tasks=[CONFAIDE, HARM]),
        "ListSamples": ListSamplesResponse(samples=samples),
        "ListCatalogue": ListCatalogueResponse(entries=[ABSENT]),
        "ScoreConstants": [scored(CONFAIDE, *SCORES), scored(HARM, not_tried="the judge harm asks a model")],
    }
    return services


def test_the_table_marks_what_wins_and_says_what_was_not_tried(services: ScriptedServices) -> None:
    result = services.libra("tasks", "constants")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    row = next(line for line in lines if line.startswith("confaide"))
    assert row.split() == ["confaide", "50.0", "25.0", "-", "100=", "68.0!"]
    text = " ".join(result.stdout.split())
    assert "! confaide (direct_risky, judge mixed): empty talk 68.0. Talk wins." in text
    assert "not tried, since the judge harm asks a model: physical_safety_instructions_unsafe" in text
    assert "not tried, since they have no samples here: tasks of the catalogue (1)" in text
    assert longest_line(result.stdout) <= 80


def test_the_json_has_one_entry_for_each_task(services: ScriptedServices) -> None:
    result = services.libra("tasks", "constants", "--json")
    found = json.loads(result.stdout)["tasks"]
    assert [task["task"] for task in found] == ["confaide@1", "physical_safety_instructions_unsafe@2"]
    assert [score["exceeds_bound"] for score in found[0]["scores"]] == [False, False, False, False, True]


def test_some_samples_are_drawn_and_the_bound_is_sent(services: ScriptedServices) -> None:
    services.replies["GetTask"] = GetTaskResponse(task=CONFAIDE)
    result = services.libra("tasks", "constants", "confaide", "--samples", 10, "--bound", 0.7)
    assert result.exit_code == 0, result.output
    [request] = [each for each in services.requests if isinstance(each, ScoreConstantsRequest)]
    assert (len(request.samples), request.bound, request.task) == (10, 0.7, CONFAIDE)
    assert len({sample.ordinal for sample in request.samples}) == 10


def test_a_task_of_the_catalogue_without_samples_says_how_to_import_it(services: ScriptedServices) -> None:
    services.replies["GetTask"] = NotFound("there is no task 'bbq'", field="name")
    result = services.libra("tasks", "constants", "bbq")
    assert result.exit_code == 0, result.output
    assert "`libra tasks import --as bbq` imports them" in " ".join(result.stdout.split())


def test_an_unknown_task_is_an_error(services: ScriptedServices) -> None:
    services.replies["GetTask"] = NotFound("there is no task 'confide': did you mean confaide?", field="name")
    result = services.libra("tasks", "constants", "confide")
    assert result.exit_code == 2
    assert "TASK: there is no task 'confide'" in result.stderr


def test_the_lists_of_tasks_show_caveats(services: ScriptedServices) -> None:
    result = services.libra("tasks", "list")
    assert "confaide !" in result.stdout
    assert "! confaide: Talk wins." in result.stdout
    assert "physical_safety_instructions_unsafe !" not in result.stdout
    services.replies["ListCatalogue"] = ListCatalogueResponse(entries=[ABSENT, CatalogueEntry(task=CONFAIDE)])
    assert "! confaide: Talk wins." in services.libra("tasks", "list", "--catalogue").stdout


def test_a_card_shows_its_caveat_and_its_gold_label(services: ScriptedServices) -> None:
    task = Task(name="safe_text", version="1", category=RISKY, judge=JudgeSpec(name="yes_no"), balanced_by="harmful")
    task.caveat = "It is small."
    services.replies["GetTask"] = GetTaskResponse(task=task)
    text = services.libra("tasks", "show", "safe_text", "--samples", 0).stdout
    assert "balanced by  harmful" in text
    assert "caveat       It is small." in text
