from __future__ import annotations

import pytest

from libra.cli.commands.rejudge import told, word
from libra.cli.files.run_file import parse
from libra.cli.files.run_spec import OPTIONS, asked
from libra.errors import Invalid
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.run_pb2 import RunSpec

FILE = parse(b"models: [a, b]\ntasks: ['*']\nseed: 3\nparameters: {temperature: 1}\njudges: {t: exact}\n", "run.yaml")


def test_options_alone_make_a_spec() -> None:
    given = {
        "models": ("a", "b"),
        "tasks": ("*",),
        "attacks": (),
        "samples_per_task": 5,
        "temperature": 0.0,
        "judges": ("t=exact", "u=choice"),
        "name": None,
        "fresh": None,
    }
    spec = asked(None, given).spec
    assert spec == RunSpec(
        models=["a", "b"],
        tasks=["*"],
        samples_per_task=5,
        parameters=GenerationParameters(temperature=0),
        judges={"t": "exact", "u": "choice"},
    )
    assert spec.parameters.HasField("temperature")
    assert not spec.parameters.HasField("top_p")


def test_an_option_takes_the_place_of_the_files_field_and_no_other() -> None:
    spec = asked(FILE, {"models": ("c",), "judges": ("u=choice",), "max_tokens": 9}).spec
    assert list(spec.models) == ["c"]
    assert list(spec.tasks) == ["*"]
    assert spec.seed == 3
    assert dict(spec.judges) == {"u": "choice"}
    assert spec.parameters == GenerationParameters(temperature=1, max_tokens=9)
    assert list(FILE.spec.models) == ["a", "b"]


def test_a_field_is_called_what_the_user_called_it() -> None:
    wish = asked(FILE, {"models": ("c",), "temperature": 3.0})
    assert wish.word("spec.models[0]") == "--model"
    assert wish.word("spec.parameters.temperature") == "--temperature"
    assert wish.word("spec.tasks[0]") == "run.yaml, line 2: tasks[0]"
    assert wish.word("spec.judges[t]") == "run.yaml, line 5: judges[t]"
    assert asked(None, {}).word("spec.models") == "--model"
    assert asked(None, {}).word("request_id") == "request_id"


def test_every_field_that_an_option_sets_is_one_of_the_contract() -> None:
    fields = set(RunSpec.DESCRIPTOR.fields_by_name)
    fields |= {f"parameters.{name}" for name in GenerationParameters.DESCRIPTOR.fields_by_name}
    assert set(OPTIONS) <= fields


@pytest.mark.parametrize("word", ["exact", "=exact", "t=", ""])
def test_a_judge_is_named_with_its_task(word: str) -> None:
    with pytest.raises(Invalid) as caught:
        asked(None, {"judges": (word,)})
    assert caught.value.field == "--judge"


def test_the_options_of_a_rejudging_are_pairs() -> None:
    assert told(("want=refused", "rubric=a=b", "empty=")) == {"want": "refused", "rubric": "a=b", "empty": ""}
    for wrong in ("want", "=refused"):
        with pytest.raises(Invalid) as caught:
            told((wrong,))
        assert caught.value.field == "--option"


@pytest.mark.parametrize(
    ("field", "called"),
    [
        ("spec.rejudges", "RUN"),
        ("spec.judges[sums]", "--judge"),
        ("spec.tasks[0]", "--task"),
        ("request_id", "request_id"),
    ],
)
def test_a_rejudging_names_its_fields_as_the_command_does(field: str, called: str) -> None:
    assert word(field) == called
