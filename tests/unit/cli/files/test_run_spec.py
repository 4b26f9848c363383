from __future__ import annotations

import pytest

from libra.cli.commands.run.rejudge import user_name_of
from libra.cli.files.run_file import parse
from libra.cli.files.run_spec import OPTIONS, combine
from libra.cli.param_types import parse_judge_options
from libra.core.errors import Invalid
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.run_pb2 import Budget, RunSpec

FILE = parse(b"models: [a, b]\ntasks: ['*']\nseed: 3\nparameters: {temperature: 1}\njudges: {t: exact}\n", "run.yaml")


def test_options_alone_make_a_spec() -> None:
    options = {
        "models": ("a", "b"),
        "tasks": ("*",),
        "attacks": (),
        "samples_per_task": 5,
        "temperature": 0.0,
        "judges": ("t=exact", "u=choice"),
        "name": None,
        "fresh": None,
    }
    spec = combine(None, options).spec
    assert spec == RunSpec(
        models=["a", "b"],
        tasks=["*"],
        samples_per_task=5,
        parameters=GenerationParameters(temperature=0),
        judges={"t": "exact", "u": "choice"},
    )
    assert spec.parameters.HasField("temperature")
    assert not spec.parameters.HasField("top_p")


def test_an_option_replaces_one_field_of_the_file() -> None:
    spec = combine(FILE, {"models": ("c",), "judges": ("u=choice",), "max_tokens": 9}).spec
    assert list(spec.models) == ["c"]
    assert list(spec.tasks) == ["*"]
    assert spec.seed == 3
    assert dict(spec.judges) == {"u": "choice"}
    assert spec.parameters == GenerationParameters(temperature=1, max_tokens=9)
    assert list(FILE.spec.models) == ["a", "b"]


def test_a_field_has_the_name_that_the_user_typed() -> None:
    combined = combine(FILE, {"models": ("c",), "temperature": 3.0})
    assert combined.user_name_of("spec.models[0]") == "--model"
    assert combined.user_name_of("spec.parameters.temperature") == "--temperature"
    assert combined.user_name_of("spec.tasks[0]") == "run.yaml, line 2: tasks[0]"
    assert combined.user_name_of("spec.judges[t]") == "run.yaml, line 5: judges[t]"
    assert combine(None, {}).user_name_of("spec.models") == "--model"
    assert combine(None, {}).user_name_of("request_id") == "request_id"


def test_every_option_sets_a_field_of_the_proto_messages() -> None:
    fields = set(RunSpec.DESCRIPTOR.fields_by_name)
    fields |= {f"budget.{name}" for name in Budget.DESCRIPTOR.fields_by_name}
    fields |= {f"parameters.{name}" for name in GenerationParameters.DESCRIPTOR.fields_by_name}
    assert set(OPTIONS) <= fields


@pytest.mark.parametrize("value", ["exact", "=exact", "t=", ""])
def test_a_judge_without_a_task_is_refused(value: str) -> None:
    with pytest.raises(Invalid) as caught:
        combine(None, {"judges": (value,)})
    assert caught.value.field == "--judge"


def test_judge_options_are_pairs() -> None:
    assert parse_judge_options(("want=refused", "rubric=a=b", "empty=")) == {
        "want": "refused",
        "rubric": "a=b",
        "empty": "",
    }
    for wrong in ("want", "=refused"):
        with pytest.raises(Invalid) as caught:
            parse_judge_options((wrong,))
        assert caught.value.field == "--option"


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("spec.rejudges", "RUN"),
        ("spec.judges[sums]", "--judge"),
        ("spec.tasks[0]", "--task"),
        ("request_id", "request_id"),
    ],
)
def test_errors_of_a_rejudge_name_its_options(field: str, name: str) -> None:
    assert user_name_of(field) == name
