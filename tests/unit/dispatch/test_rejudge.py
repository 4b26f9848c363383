from __future__ import annotations

from typing import Any

import pytest

from libra.core.errors import Invalid
from libra.dispatch.scheduling.rejudge_source import completed_trial
from libra.dispatch.spec.registry import Registry, task_reference
from libra.dispatch.spec.rejudge import resolve_rejudge
from libra.dispatch.spec.run_spec import ResolvedSpec, resolve
from libra.store.runs import RunRecord
from libra.v1.attack_pb2 import Attack
from libra.v1.batch_pb2 import BatchHeader
from libra.v1.completion_pb2 import Completion, GenerationParameters
from libra.v1.judge_pb2 import Judge, JudgeOption
from libra.v1.message_pb2 import Message
from libra.v1.run_pb2 import Run, RunSpec, RunState
from libra.v1.task_pb2 import Category, JudgeSpec, Sample, Task
from libra.v1.verdict_pb2 import Verdict

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
    tasks = {task.name: task for task in TASKS} | {task_reference(task): task for task in TASKS}
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


def rejudged(original: RunRecord, *models: str, **requested: Any) -> ResolvedSpec:
    return resolve_rejudge(RunSpec(**{"rejudges": "01JZ", **requested}), original, registry(*models))


def test_everything_but_the_judges_is_inherited_from_the_source() -> None:
    first = source()
    resolved = rejudged(first, name="once more", judges={"sums": "exact"})  # no model is registered any more
    expected = RunSpec()
    expected.CopyFrom(first.run.spec)
    expected.name, expected.rejudges = "once more", "01JZ"
    expected.judges["sums"] = "exact"
    assert resolved.spec == expected
    shape = [(section.task, section.attack, section.category, section.trials) for section in first.sections]
    assert [(section.task, section.attack, section.category, section.trials) for section in resolved.sections] == shape
    judges = {section.task: section.judge for section in resolved.sections}
    assert judges[f"sums@{V}"] == JudgeSpec(name="exact", options={"field": "answer"})
    assert judges[f"harmful@{V}"] == REFUSAL


def test_a_judge_for_every_task_is_expanded_and_the_runs_options_override_the_cards() -> None:
    resolved = rejudged(
        source(),
        "j",
        tasks=["harmful", "adversarial"],
        judges={"*": "harm", "harmful": "refusal"},
        judge_options={"want": "complied"},
        judge_model="j",
    )
    assert dict(resolved.spec.judges) == {"harmful": "refusal", "stories": "harm"}
    assert list(resolved.spec.tasks) == [f"harmful@{V}", f"stories@{V}"]
    judges = {section.task: section.judge for section in resolved.sections}
    assert judges[f"harmful@{V}"] == JudgeSpec(name="refusal", options={"want": "complied"})
    assert judges[f"stories@{V}"] == JudgeSpec(name="harm", options={"want": "complied", "model": "j"})


def test_only_the_attacks_of_the_selected_tasks_stay() -> None:
    assert list(rejudged(source(), tasks=["capability"]).spec.attacks) == ["none"]


def test_the_answers_are_always_those_of_the_original_run() -> None:
    first = rejudged(source(), tasks=["sums"], judges={"sums": "exact"})
    record = RunRecord(run=Run(id="02JZ", spec=first.spec), sections=first.sections)
    second = rejudged(record, rejudges="02JZ", judges={"sums": "number"})
    assert second.spec.rejudges == "01JZ"
    assert [section.task for section in second.sections] == [f"sums@{V}"]
    assert dict(second.spec.judges) == {"sums": "number"}


def test_a_deleted_judge_model_is_an_error_only_if_a_judge_needs_it() -> None:
    first = source(judge_model="j", judges={"harmful": "harm"})
    assert rejudged(first, judges={"*": "refusal"}, tasks=["harmful"]).spec.judge_model == ""
    with pytest.raises(Invalid, match="name a judge_model"):
        rejudged(first, judges={"*": "harm"}, tasks=["harmful"])
    assert rejudged(first, "j", judges={"*": "harm"}, tasks=["harmful"]).spec.judge_model == "j"


@pytest.mark.parametrize(
    ("requested", "field", "message"),
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
        ({"judge_options": {"field": "x"}}, "spec.judge_options", "it names no judge"),
        ({"tasks": ["sums"], "judges": {"harmful": "exact"}}, "spec.judges[harmful]", "selected task"),
        ({"judge_model": "j"}, "spec.judge_model", "no model 'j'"),
        ({"name": "n" * 201}, "spec.name", "201 characters"),
    ],
)
def test_an_error_names_the_field_at_fault(requested: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        rejudged(source(), **requested)
    assert caught.value.field == field
    assert message in caught.value.message


def test_a_field_that_equals_the_sources_is_accepted() -> None:
    assert rejudged(source(), models=["a", "b"], epochs=2, seed=7, fresh=False).spec.epochs == 2


@pytest.mark.parametrize(("attack", "aims"), [("none", 0), ("crescendo", 1)])
def test_an_attacked_answer_is_judged_again_with_its_aim_and_rating(attack: str, aims: int) -> None:
    sample = Sample(ordinal=3, messages=[Message(role="user", content="the prompt")], fields={"risk": "fraud"})
    fields = {"attack_rewrites": "yes", "attack_rating": "7", "judged_by": "attempt_scorer@1"}
    verdict = Verdict(completion_id="c", fields=fields)
    completed = completed_trial(
        BatchHeader(model="a", attack=attack),
        sample,
        1,
        verdict,
        {"c": Completion(id="c", text="the answer")},
        {"c": [Message(role="user", content="the last question")]},
    )
    assert [message.content for message in completed.trial.aim] == ["the prompt"] * aims
    assert dict(completed.trial.fields) == {"risk": "fraud", "attack_rewrites": "yes", "attack_rating": "7"}
    assert [message.content for message in completed.trial.messages] == ["the last question"]
