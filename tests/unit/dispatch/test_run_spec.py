from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from libra.core.errors import Invalid
from libra.dispatch.spec.registry import Registry
from libra.dispatch.spec.run_spec import resolve
from libra.v1.attack_pb2 import Attack, ModelUse
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.judge_pb2 import Judge, JudgeOption
from libra.v1.run_pb2 import RunSpec
from libra.v1.task_pb2 import Category, JudgeSpec, Task


def make_task(name: str, category: Category.ValueType, judge: str = "refusal", **options: str) -> Task:
    return Task(
        name=name, version="0" * 12, category=category, sample_count=30, judge=JudgeSpec(name=judge, options=options)
    )


TASKS = [
    make_task("harmful", Category.CATEGORY_DIRECT_RISKY, want="refused"),
    make_task("harmless", Category.CATEGORY_OVER_SENSITIVE, want="complied"),
    make_task("arithmetic", Category.CATEGORY_CAPABILITY, judge="number", field="answer"),
    make_task("typing", Category.CATEGORY_CAPABILITY, judge="number", field="answer", feild="answer"),
    make_task("opinion", Category.CATEGORY_ADVERSARIAL, judge="model", rubric="Is it fair?"),
]
REGISTRY = Registry(
    models=frozenset({"refuser", "complier", "gpt-4o"}),
    tasks={task.name: task for task in TASKS},
    attacks={
        name: Attack(name=name, model_use=ModelUse.MODEL_USE_NEVER) for name in ("none", "few_shots", "ciphering")
    },
    judges={
        "refusal": Judge(
            name="refusal", options=[JudgeOption(name="want", required=True, values=["refused", "complied"])]
        ),
        "number": Judge(name="number", options=[JudgeOption(name="field", required=True)]),
        "exact": Judge(name="exact", options=[JudgeOption(name="field", required=True)]),
        "contains": Judge(name="contains", options=[JudgeOption(name="secret", required=True)]),
        "model": Judge(
            name="model",
            asks_model=True,
            options=[JudgeOption(name="model", required=True), JudgeOption(name="rubric", required=True)],
        ),
    },
)


def spec(**changes: Any) -> RunSpec:
    return RunSpec(**{"models": ["refuser"], "tasks": ["harmful"], **changes})


def test_wildcards_and_defaults_are_replaced_by_their_values() -> None:
    tasks = {name: task for name, task in REGISTRY.tasks.items() if name != "typing"}
    resolved = resolve(spec(tasks=["*"], judge_model="gpt-4o"), replace(REGISTRY, tasks=tasks))
    zeros = "0" * 12
    assert list(resolved.spec.tasks) == [f"{name}@{zeros}" for name in ("arithmetic", "harmful", "harmless", "opinion")]
    assert list(resolved.spec.attacks) == ["none"]
    assert resolved.spec.epochs == 1
    assert [section.trials for section in resolved.sections] == [30] * 4


def test_another_judge_gets_those_options_of_the_card_that_it_has() -> None:
    judges = {"harmful": "number", "arithmetic": "exact"}
    sections = resolve(spec(tasks=["arithmetic"], judges={"arithmetic": "exact"}), REGISTRY).sections
    assert [(s.judge.name, dict(s.judge.options)) for s in sections] == [("exact", {"field": "answer"})]
    with pytest.raises(Invalid, match="needs the option 'field'"):
        resolve(spec(tasks=["harmful", "arithmetic"], judges=judges), REGISTRY)


def test_attacks_can_be_joined() -> None:
    names = ["few_shots+ciphering", "ciphering+few_shots", "few_shots+ciphering", "few_shots+few_shots"]
    resolved = resolve(spec(tasks=["harmful"], attacks=names), REGISTRY)
    assert list(resolved.spec.attacks) == ["few_shots+ciphering", "ciphering+few_shots", "few_shots+few_shots"]
    assert {section.category for section in resolved.sections} == {Category.CATEGORY_ADVERSARIAL}


def test_an_attack_applies_to_risky_tasks_only_and_counts_as_adversarial() -> None:
    resolved = resolve(spec(tasks=["harmful", "harmless", "arithmetic"], attacks=["none", "few_shots"]), REGISTRY)
    assert [(s.task.split("@")[0], s.attack, s.category) for s in resolved.sections] == [
        ("arithmetic", "none", Category.CATEGORY_CAPABILITY),
        ("harmful", "none", Category.CATEGORY_DIRECT_RISKY),
        ("harmful", "few_shots", Category.CATEGORY_ADVERSARIAL),
        ("harmless", "none", Category.CATEGORY_OVER_SENSITIVE),
    ]
    assert resolved.warnings == (
        "few_shots is not applied to arithmetic, harmless: a harmless request has nothing to hide",
    )


def test_only_a_judge_that_queries_a_model_gets_the_judge_model() -> None:
    sections = resolve(spec(tasks=["harmful", "opinion"], judge_model="gpt-4o"), REGISTRY).sections
    assert dict(sections[0].judge.options) == {"want": "refused"}
    assert dict(sections[1].judge.options) == {"rubric": "Is it fair?", "model": "gpt-4o"}


def test_samples_epochs_and_a_category_determine_the_trials() -> None:
    resolved = resolve(spec(tasks=["direct_risky"], samples_per_task=7, epochs=3), REGISTRY)
    assert [(s.task.split("@")[0], s.trials) for s in resolved.sections] == [("harmful", 21)]


def test_repeated_names_count_once() -> None:
    resolved = resolve(spec(models=["refuser", "refuser"], tasks=["harmful", "direct_risky"]), REGISTRY)
    assert list(resolved.spec.models) == ["refuser"]
    assert len(resolved.sections) == 1


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"models": []}, "spec.models", "at least one model"),
        ({"models": ["refuser", "compliar"]}, "spec.models[1]", "did you mean complier"),
        ({"tasks": []}, "spec.tasks", "at least one task"),
        ({"tasks": ["harmfull"]}, "spec.tasks[0]", "did you mean harmful"),
        ({"tasks": ["harmful@123456789abc"]}, "spec.tasks[0]", "there is no task"),
        ({"tasks": ["instruction_hierarchy"]}, "spec.tasks", "selects no task"),
        ({"attacks": ["few_shot"]}, "spec.attacks[0]", "did you mean few_shots"),
        ({"attacks": ["none", "few_shots+cipher"]}, "spec.attacks[1]", "did you mean ciphering"),
        ({"attacks": ["few_shots+"]}, "spec.attacks[0]", "no attack ''"),
        ({"attacks": ["none+few_shots"]}, "spec.attacks[0]", "'none' cannot be joined"),
        ({"attacks": ["+".join(["few_shots"] * 6)]}, "spec.attacks[0]", "joins 6 attacks; the limit is 5"),
        ({"tasks": ["arithmetic"], "attacks": ["few_shots"]}, "spec.attacks", "no task is left"),
        ({"samples_per_task": -1}, "spec.samples_per_task", "-1"),
        ({"epochs": -2}, "spec.epochs", "-2"),
        ({"parameters": GenerationParameters(temperature=-0.1)}, "spec.parameters.temperature", "-0.1"),
        ({"parameters": GenerationParameters(temperature=float("nan"))}, "spec.parameters.temperature", "nan"),
        ({"parameters": GenerationParameters(top_p=0)}, "spec.parameters.top_p", "0"),
        ({"parameters": GenerationParameters(max_tokens=-5)}, "spec.parameters.max_tokens", "-5"),
        ({"judges": {"harmful": "refusl"}}, "spec.judges[harmful]", "did you mean refusal"),
        ({"judges": {"harmless": "refusal"}}, "spec.judges[harmless]", "selected task"),
        ({"judges": {"harmful": "contains"}}, "spec.judges[harmful]", "secret"),
        ({"tasks": ["opinion"]}, "spec.judges[opinion]", "judge_model"),
        ({"tasks": ["typing"]}, "spec.judges[typing]", "did you mean field"),
        ({"parameters": GenerationParameters(json_schema="{")}, "spec.parameters.json_schema", "JSON"),
        ({"parameters": GenerationParameters(json_schema="[]")}, "spec.parameters.json_schema", "JSON"),
        ({"judge_model": "gpt-4"}, "spec.judge_model", "did you mean gpt-4o"),
        ({"name": "n" * 201}, "spec.name", "201"),
    ],
)
def test_an_error_names_the_field_at_fault(changes: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        resolve(spec(**changes), REGISTRY)
    assert caught.value.field == field
    assert message in caught.value.message
