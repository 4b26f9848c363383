from __future__ import annotations

import json
from typing import Any

import pytest

from libra.core.errors import Invalid
from libra.dispatch.models.validation import PROVIDERS, check_model
from libra.v1.model_pb2 import Model, ModelPrice, Provider, RequestOptions, SystemRole

SECRET = "sk-51f0a2"


def model(provider: Provider.ValueType = Provider.PROVIDER_OPENAI, **options: Any) -> Model:
    return Model(name="m", provider=provider, base_url="https://api.example.com/v1", options=RequestOptions(**options))


@pytest.mark.parametrize("provider", [number for number in PROVIDERS if number != Provider.PROVIDER_SCRIPTED])
def test_every_provider_takes_options(provider: Provider.ValueType) -> None:
    check_model(
        model(
            provider,
            query={"api-version": "2026-01-01", "key-length": "8"},
            body_json='{"chat_template_kwargs": {"enable_thinking": false}}',
            reasoning_effort="x-high",
            stop=["\n\n", "###"],
            top_k=40,
            system_role=SystemRole.SYSTEM_ROLE_MERGED,
            token_limit_name="max_completion_tokens",
        )
    )


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"query": {f"q{n}": "" for n in range(33)}}, "query"),
        ({"query": {"": "x"}}, "query"),
        ({"query": {"q": "x\n"}}, "query"),
        ({"query": {"q": "x" * 2048}}, "query"),
        ({"query": {"key": SECRET}}, "query"),
        ({"query": {"Subscription-Key": SECRET}}, "query"),
        ({"query": {"api_key": SECRET}}, "query"),
        ({"body_json": "{"}, "body_json"),
        ({"body_json": "[1]"}, "body_json"),
        ({"body_json": '{"messages": []}'}, "body_json"),
        ({"body_json": '{"systemInstruction": {}}'}, "body_json"),
        ({"body_json": '{"model": "other"}'}, "body_json"),
        ({"body_json": json.dumps({"x": "é" * 9000}, ensure_ascii=False)}, "body_json"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"stop": ["x" * 257]}, "stop"),
        ({"reasoning_effort": "very low"}, "reasoning_effort"),
        ({"top_k": -1}, "top_k"),
        ({"token_limit_name": "max tokens"}, "token_limit_name"),
        ({"system_role": 9}, "system_role"),
    ],
)
def test_an_error_names_the_option_at_fault(options: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_model(model(**options))
    assert caught.value.field == f"model.options.{field}"
    assert SECRET not in caught.value.message


@pytest.mark.parametrize("provider", [Provider.PROVIDER_ANTHROPIC, Provider.PROVIDER_GEMINI, Provider.PROVIDER_BEDROCK])
def test_only_the_apis_of_openai_have_the_role_developer(provider: Provider.ValueType) -> None:
    check_model(model(system_role=SystemRole.SYSTEM_ROLE_DEVELOPER))
    with pytest.raises(Invalid, match="developer"):
        check_model(model(provider, system_role=SystemRole.SYSTEM_ROLE_DEVELOPER))


@pytest.mark.parametrize("name", ["x" * 513, " m", "a\tb"])
def test_a_remote_name_that_no_endpoint_has_is_refused(name: str) -> None:
    entry = model()
    entry.remote_model = name
    with pytest.raises(Invalid) as caught:
        check_model(entry)
    assert caught.value.field == "model.remote_model"


def test_a_reference_model_takes_no_options() -> None:
    entry = Model(name="m", provider=Provider.PROVIDER_SCRIPTED, remote_model="refuser")
    check_model(entry)
    entry.options.top_k = 1
    with pytest.raises(Invalid, match="no options"):
        check_model(entry)


def test_the_source_of_a_price_is_not_registered() -> None:
    entry = model()
    entry.price.CopyFrom(ModelPrice(source="a friend"))
    with pytest.raises(Invalid) as caught:
        check_model(entry)
    assert caught.value.field == "model.price.source"
