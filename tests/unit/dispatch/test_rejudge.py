from __future__ import annotations

from typing import Any

import pytest

from libra.dispatch.spec.registry import Registry, reference
from libra.dispatch.spec.rejudge import resolve_again
from libra.dispatch.spec.run_spec import Resolved, resolve
from libra.errors import Invalid
from libra.store.runs import RunRecord
from libra.v1.attack_pb2 import Attack
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.judge_pb2 import Judge, JudgeOption
from libra.v1.run_pb2 import Run, RunSpec, RunState
from libra.v1.task_pb2 import Category, JudgeSpec, Task

V = "0" * 12
REFUSAL = JudgeSpec(name="refusal", options={"want": "refused"})
TASKS = [
    Task(name="harmful", version=V, category=Category.CATEGORY_DIRECT_RISKY, sample_count=30, judge=REFUSAL),
    Task(name="stories", version=V, category=Category.CATEGORY_ADVERSARIAL, sample_count=20, judge=REFUSAL),
    Task(
        name="sums",
        version=V,
        category=Category.CATEGORY_CAPABILITY,
        sample_count=9,
        judge=JudgeSpec(name="number", options={"field": "answer"}),
    ),
]
JUDGES = {
    "refusal": Judge(name="refusal", options=[JudgeOption(name="want", required=True, values=["refused", "complied"])]),
    "number": Judge(name="number", options=[JudgeOption(name="field", required=True)]),
    "exact": Judge(name="exact", options=[JudgeOption(name="field", required=True)]),
    "harm": Judge(
        name="harm",
        asks_model=True,
        options=[JudgeOption(name="model", required=True), JudgeOption(name="want"), JudgeOption(name="rubric")],
    ),
}


def registry(*models: str) -> Registry:
    tasks = {task.name: task for task in TASKS} | {reference(task): task for task in TASKS}
    return Registry(
        models=frozenset(models),
        tasks=tasks,
        attacks={name: Attack(name=name) for name in ("none", "few_shots")},
        judges=JUDGES,
    )


def source(**changes: Any) -> RunRecord:
    spec = RunSpec(
        **{
            "name": "nightly",
            "models": ["a", "b"],
            "tasks": ["*"],
            "attacks": ["none", "few_shots"],
            "samples_per_task": 5,
            "epochs": 2,
            "seed": 7,
            "parameters": GenerationParameters(temperature=0.5),
            **changes,
        }
    )
    resolved = resolve(spec, registry("a", "b", "j"))
    run = Run(id="01JZ", spec=resolved.spec, state=RunState.RUN_STATE_FINISHED)
    return RunRecord(run=run, sections=resolved.sections)


def again(of: RunRecord, *models: str, **asked: Any) -> Resolved:
    return resolve_again(RunSpec(**{"rejudges": "01JZ", **asked}), of, registry(*models))


def test_all_but_the_judges_is_the_sources() -> None:
    first = source()
    resolved = again(first, name="once more", judges={"sums": "exact"})  # no model is registered any more
    expected = RunSpec()
    expected.CopyFrom(first.run.spec)
    expected.name, expected.rejudges = "once more", "01JZ"
    expected.judges["sums"] = "exact"
    assert resolved.spec == expected
    shape = [(each.task, each.attack, each.category, each.trials) for each in first.sections]
    assert [(each.task, each.attack, each.category, each.trials) for each in resolved.sections] == shape
    judges = {each.task: each.judge for each in resolved.sections}
    assert judges[f"sums@{V}"] == JudgeSpec(name="exact", options={"field": "answer"})
    assert judges[f"harmful@{V}"] == REFUSAL


def test_one_judge_for_every_task_is_spelled_out_and_told_more_than_the_card_says() -> None:
    resolved = again(
        source(),
        "j",
        tasks=["harmful", "adversarial"],
        judges={"*": "harm", "harmful": "refusal"},
        judge_options={"want": "complied"},
        judge_model="j",
    )
    assert dict(resolved.spec.judges) == {"harmful": "refusal", "stories": "harm"}
    assert list(resolved.spec.tasks) == [f"harmful@{V}", f"stories@{V}"]
    judges = {each.task: each.judge for each in resolved.sections}
    assert judges[f"harmful@{V}"] == JudgeSpec(name="refusal", options={"want": "complied"})
    assert judges[f"stories@{V}"] == JudgeSpec(name="harm", options={"want": "complied", "model": "j"})


def test_only_the_attacks_of_the_tasks_that_are_left_stay() -> None:
    assert list(again(source(), tasks=["capability"]).spec.attacks) == ["none"]


def test_the_answers_are_always_those_of_the_run_that_asked_for_them() -> None:
    first = again(source(), tasks=["sums"], judges={"sums": "exact"})
    record = RunRecord(run=Run(id="02JZ", spec=first.spec), sections=first.sections)
    second = again(record, rejudges="02JZ", judges={"sums": "number"})
    assert second.spec.rejudges == "01JZ"
    assert [each.task for each in second.sections] == [f"sums@{V}"]
    assert dict(second.spec.judges) == {"sums": "number"}


def test_a_judge_model_that_is_gone_is_missed_only_where_it_is_needed() -> None:
    first = source(judge_model="j", judges={"harmful": "harm"})
    assert again(first, judges={"*": "refusal"}, tasks=["harmful"]).spec.judge_model == ""
    with pytest.raises(Invalid, match="name a judge_model"):
        again(first, judges={"*": "harm"}, tasks=["harmful"])
    assert again(first, "j", judges={"*": "harm"}, tasks=["harmful"]).spec.judge_model == "j"


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ({"models": ["a"]}, "spec.models", "leave it out"),
        ({"epochs": 3}, "spec.epochs", "leave it out"),
        ({"attack_model": "x"}, "spec.attack_model", "leave it out"),
        ({"parameters": GenerationParameters(temperature=0.1)}, "spec.parameters", "leave it out"),
        ({"tasks": ["harmfull"]}, "spec.tasks[0]", "did you mean harmful"),
        ({"tasks": ["over_sensitive"]}, "spec.tasks", "selects none of the tasks"),
        ({"judges": {"*": "exakt"}}, "spec.judges[harmful]", "did you mean exact"),
        ({"judges": {"*": "exact"}}, "spec.judges[harmful]", "needs the option 'field'"),
        ({"judges": {"sums": "exact"}, "judge_options": {"feild": "x"}}, "spec.judges[sums]", "did you mean field"),
        ({"judge_options": {"field": "x"}}, "spec.judge_options", "it names none"),
        ({"tasks": ["sums"], "judges": {"harmful": "exact"}}, "spec.judges[harmful]", "selected task"),
        ({"judge_model": "j"}, "spec.judge_model", "no model 'j'"),
        ({"name": "n" * 201}, "spec.name", "201 characters"),
    ],
)
def test_a_fault_is_named_with_its_field(asked: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        again(source(), **asked)
    assert caught.value.field == field
    assert words in caught.value.message


def test_what_is_asked_for_as_the_source_has_it_is_no_fault() -> None:
    assert again(source(), models=["a", "b"], epochs=2, seed=7, fresh=False).spec.epochs == 2
