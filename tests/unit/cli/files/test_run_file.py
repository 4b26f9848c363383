from __future__ import annotations

from pathlib import Path

import pytest

from libra.cli.files.run_file import PARAMETER_KEYS, SPEC_KEYS, parse
from libra.core.errors import Invalid
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.run_pb2 import RunSpec

DEMO = Path(__file__).parents[4] / "examples" / "demo.yaml"


def test_every_key_of_a_file_sets_its_field() -> None:
    data = b"""
name: nightly
models: [mine, "on", 1.10]
tasks: "*"
attacks: [none]
samples_per_task: 10
epochs: 2
seed: -7
parameters: {temperature: 0.5, top_p: 0.9, max_tokens: 64, seed: 3, json_schema: "{}", reasoning_effort: low}
fresh: true
judge_model: judge
judges: {privacy: refusal}
"""
    assert parse(data, "run.yaml").spec == RunSpec(
        name="nightly",
        models=["mine", "on", "1.10"],  # names, although YAML reads other types
        tasks=["*"],
        attacks=["none"],
        samples_per_task=10,
        epochs=2,
        seed=-7,
        parameters=GenerationParameters(
            temperature=0.5, top_p=0.9, max_tokens=64, seed=3, json_schema="{}", reasoning_effort="low"
        ),
        fresh=True,
        judge_model="judge",
        judges={"privacy": "refusal"},
    )


def test_the_keys_are_the_fields_of_the_proto_messages() -> None:
    assert set(SPEC_KEYS) == set(RunSpec.DESCRIPTOR.fields_by_name)
    assert set(PARAMETER_KEYS) == set(GenerationParameters.DESCRIPTOR.fields_by_name)


def test_the_example_is_valid_and_names_every_key() -> None:
    text = DEMO.read_text()
    spec = parse(text.encode(), "demo.yaml").spec
    assert "SmolLM2-135M-Instruct" in spec.models
    for key in (*SPEC_KEYS, *PARAMETER_KEYS):
        assert f"{key}:" in text, key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modles: [a]", "r.yaml, line 1: there is no key 'modles': did you mean models"),
        (
            "models: [a]\nparameters:\n  temprature: 1",
            "line 3: there is no key 'parameters.temprature': did you mean temp",
        ),
        ("models: [a]\nmodels: [b]", "line 2: the key 'models' is repeated"),
        ("models: []", "line 1: models must be a list of names, and not an empty one"),
        ("models: [a, [b]]", "line 1: models[1] must be text"),
        ("models:\n", "line 1: models is empty"),
        ("models: {a: b}", "line 1: models must be a list"),
        ("epochs: many", "line 1: epochs must be a whole number, not 'many'"),
        ("epochs: 99999999999", "line 1: epochs must be from -2147483648 to 2147483647, not 99999999999"),
        ("parameters: {temperature: warm}", "line 1: parameters.temperature must be a number, not 'warm'"),
        ("fresh: perhaps", "line 1: fresh must be true or false"),
        ("tasks: *", "line 1: the file is not valid YAML"),
        ("tasks: [*]", "(write * in quotes: '*')"),
        ("- models", "line 1: a run file must be keys with values"),
        ("? [a]\n: b", "must be text"),
        ("models: [a\n", "the file is not valid YAML"),
        ("a: b: c", "line 1: the file is not valid YAML"),
        ("name: \x01", "is not valid YAML"),
        ("", "r.yaml is empty"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_an_error_names_the_file_and_the_line(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text.encode(), "r.yaml")
    assert message in caught.value.message


def test_a_file_that_is_not_utf_8_is_refused_with_the_byte() -> None:
    with pytest.raises(Invalid, match="line 1: the file is not UTF-8: byte 6 is 0xff"):
        parse(b"name: \xff", "r.yaml")
    with pytest.raises(Invalid, match="at most"):
        parse(b"#" * 2_000_000, "r.yaml")


def test_a_field_is_located_by_its_line() -> None:
    file = parse(b"models:\n  - a\n  - b\njudges:\n  privacy: refusal\n", "r.yaml")
    assert file.location_of("models[1]") == "r.yaml, line 3: models[1]"
    assert file.location_of("judges[privacy]") == "r.yaml, line 5: judges[privacy]"
    assert file.location_of("judges[other]") == "r.yaml: judges[other]"
