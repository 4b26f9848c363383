from __future__ import annotations

from pathlib import Path

import pytest

from libra.cli.files.run_file import PARAMETERS, SPEC, parse
from libra.errors import Invalid
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.run_pb2 import RunSpec

DEMO = Path(__file__).parents[4] / "examples" / "demo.yaml"


def test_a_file_with_every_key_is_the_spec_it_says() -> None:
    data = b"""
name: nightly
models: [mine, "on", 1.10]
tasks: "*"
attacks: [none]
samples_per_task: 10
epochs: 2
seed: -7
parameters: {temperature: 0.5, top_p: 0.9, max_tokens: 64, seed: 3, json_schema: "{}"}
fresh: true
judge_model: judge
judges: {privacy: refusal}
"""
    assert parse(data, "run.yaml").spec == RunSpec(
        name="nightly",
        models=["mine", "on", "1.10"],  # names, whatever YAML would make of them
        tasks=["*"],
        attacks=["none"],
        samples_per_task=10,
        epochs=2,
        seed=-7,
        parameters=GenerationParameters(temperature=0.5, top_p=0.9, max_tokens=64, seed=3, json_schema="{}"),
        fresh=True,
        judge_model="judge",
        judges={"privacy": "refusal"},
    )


def test_the_keys_are_the_fields_of_the_contract() -> None:
    assert set(SPEC) == set(RunSpec.DESCRIPTOR.fields_by_name)
    assert set(PARAMETERS) == set(GenerationParameters.DESCRIPTOR.fields_by_name)


def test_the_example_is_sound_and_names_every_key() -> None:
    text = DEMO.read_text()
    spec = parse(text.encode(), "demo.yaml").spec
    assert "SmolLM2-135M-Instruct" in spec.models
    for key in (*SPEC, *PARAMETERS):
        assert f"{key}:" in text, key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modles: [a]", "r.yaml, line 1: there is no key 'modles': did you mean models"),
        (
            "models: [a]\nparameters:\n  temprature: 1",
            "line 3: there is no key 'parameters.temprature': did you mean temp",
        ),
        ("models: [a]\nmodels: [b]", "line 2: the key 'models' stands there twice"),
        ("models: []", "line 1: models must be a list of names, and not an empty one"),
        ("models: [a, [b]]", "line 1: models[1] must be text"),
        ("models:\n", "line 1: models is empty"),
        ("models: {a: b}", "line 1: models must be a list"),
        ("epochs: many", "line 1: epochs must be a whole number, not 'many'"),
        ("epochs: 99999999999", "line 1: epochs is beyond"),
        ("parameters: {temperature: warm}", "line 1: parameters.temperature must be a number, not 'warm'"),
        ("fresh: perhaps", "line 1: fresh must be true or false"),
        ("tasks: *", "line 1: it is not YAML"),
        ("tasks: [*]", "(a * must stand in quotes: '*')"),
        ("- models", "line 1: a run file must be keys with values"),
        ("? [a]\n: b", "must be text"),
        ("models: [a\n", "it is not YAML"),
        ("a: b: c", "line 1: it is not YAML"),
        ("name: \x01", "is not YAML"),
        ("", "r.yaml is empty"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_a_fault_is_named_with_file_and_line(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text.encode(), "r.yaml")
    assert message in caught.value.message


def test_a_file_that_is_not_utf_8_is_refused_with_the_byte() -> None:
    with pytest.raises(Invalid, match="byte 6 is 0xff"):
        parse(b"name: \xff", "r.yaml")
    with pytest.raises(Invalid, match="at most"):
        parse(b"#" * 2_000_000, "r.yaml")


def test_a_field_is_found_again_by_its_line() -> None:
    file = parse(b"models:\n  - a\n  - b\njudges:\n  privacy: refusal\n", "r.yaml")
    assert file.place("models[1]") == "r.yaml, line 3: models[1]"
    assert file.place("judges[privacy]") == "r.yaml, line 5: judges[privacy]"
    assert file.place("judges[other]") == "r.yaml: judges[other]"
