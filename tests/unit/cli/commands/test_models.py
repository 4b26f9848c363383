from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from tests.unit.cli.scripted_services import ScriptedServices, longest_line

from libra.cli.model_presets import PRESETS, Preset
from libra.core.errors import Invalid, NotFound, Unavailable
from libra.dispatch.models.validation import check_model
from libra.v1 import completion_pb2 as pb
from libra.v1 import gateway_pb2
from libra.v1.completion_pb2 import Adjustment, Completion, ProviderResponse, Usage
from libra.v1.gateway_pb2 import Exchange, ListModelsResponse, ModelStatus
from libra.v1.model_pb2 import (
    CreateModelResponse,
    DailyAmount,
    DeleteModelResponse,
    GetModelResponse,
    Model,
    ModelHealth,
    ModelPrice,
    ModelState,
    Provider,
    RequestOptions,
    SystemRole,
    UpdateModelRequest,
    UpdateModelResponse,
)

URL = "https://an-organisation-with-a-long-name.example.com/inference/endpoints/eu-west-1/model-7/v1"
ANSWER = Completion(
    text="Paris is\nthe capital.",
    response=ProviderResponse(response_class=pb.RESPONSE_CLASS_ANSWERED),
    usage=Usage(prompt_tokens=1200, completion_tokens=5),
    latency_seconds=0.82,
    cost_usd=0.000123,
    attempts=1,
)
PRICE = ModelPrice(usd_per_million_prompt_tokens=0.15, usd_per_million_completion_tokens=0.6, source="a list, 2026")
EXCHANGE = Exchange(
    request_line=f"POST {URL}/chat/completions",
    request_headers={"Authorization": "[key]", "Accept": "application/json"},
    request_body='{"model":"m"}',
    status=200,
    response_body='{"choices": []}\x1b[2J',
    seconds=0.8,
)
LEARNED = [Adjustment(parameter="max_tokens", replacement="max_completion_tokens", words="use the other")]


def result(completion: Completion = ANSWER, **fields: Any) -> gateway_pb2.TestModelResponse:
    return gateway_pb2.TestModelResponse(completion=completion, **fields)


def failure(reason: str) -> gateway_pb2.TestModelResponse:
    failed = ProviderResponse(response_class=pb.RESPONSE_CLASS_FAILED)
    return result(Completion(error=reason, finish_reason=pb.FINISH_REASON_ERROR, response=failed))


def registered(services: ScriptedServices, *arguments: str) -> Model:
    """Return the entry that `libra models add m` sends."""
    services.requests.clear()
    services.replies["CreateModel"] = CreateModelResponse(model=Model(name="m"))
    added = services.libra("models", "add", "m", "--no-test", *arguments)
    assert added.exit_code == 0, added.output
    return services.requests[-1].model  # type: ignore[no-any-return]  # a CreateModelRequest


def test_an_endpoint_is_registered_with_every_option(services: ScriptedServices) -> None:
    arguments = "--url http://h/v1 --provider anthropic --remote r --key-env KEY --key-file file --max-in-flight 3"
    arguments += " --header X-A=1=2 --header X-B= --header-env X-C=VAR --query v=1 --top-k 4 --stop END --timeout 2.5"
    arguments += " --reasoning-effort low --system-role merged --token-limit-name limit --prompt-price 1"
    model = registered(services, *arguments.split(), "--body", '{"a": 1}', "--stop", "\n\n")
    assert (model.provider, model.base_url, model.remote_model) == (Provider.PROVIDER_ANTHROPIC, "http://h/v1", "r")
    assert (model.api_key_env, model.api_key_file) == ("KEY", "file")
    assert (model.limits.max_in_flight, model.limits.timeout_seconds) == (3, 2.5)
    assert model.price == ModelPrice(usd_per_million_prompt_tokens=1)
    assert model.options == RequestOptions(
        headers={"X-A": "1=2", "X-B": ""},
        header_variables={"X-C": "VAR"},
        query={"v": "1"},
        body_json='{"a": 1}',
        reasoning_effort="low",
        stop=["END", "\n\n"],
        top_k=4,
        system_role=SystemRole.SYSTEM_ROLE_MERGED,
        token_limit_name="limit",
    )


def test_a_price_of_nothing_is_told_apart_from_no_price(services: ScriptedServices) -> None:
    assert not registered(services, "--url", "http://h/v1").HasField("price")
    assert registered(services, "--url", "http://h/v1", "--prompt-price", "0").HasField("price")
    assert registered(services, "--preset", "ollama").HasField("price")
    assert not registered(services, "--preset", "litellm").HasField("price")


def test_an_option_has_priority_over_the_preset(services: ScriptedServices) -> None:
    model = registered(services, "--preset", "openai")
    assert model.base_url == PRESETS["openai"].url
    assert (model.api_key_env, model.options.token_limit_name) == ("OPENAI_API_KEY", "max_completion_tokens")
    changed = "--preset openai --url http://proxy/v1 --key-env MINE --token-limit-name max_tokens --provider anthropic"
    model = registered(services, *changed.split())
    assert (model.base_url, model.api_key_env) == ("http://proxy/v1", "MINE")
    assert (model.options.token_limit_name, model.provider) == ("max_tokens", Provider.PROVIDER_ANTHROPIC)
    model = registered(services, "--preset", "groq", "--key-file", "groq")
    assert (model.api_key_env, model.api_key_file) == ("", "groq")


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_every_preset_is_a_valid_entry(services: ScriptedServices, preset: Preset) -> None:
    url = ("--url", "https://mine.example.com/v1") if preset.needs_url else ()
    model = registered(services, "--preset", preset.name, *url)
    check_model(model)
    assert model.provider == preset.provider


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "give --url, --preset or --scripted"),
        (("--url", "http://h/v1", "--scripted", "careful"), "give --url, --preset or --scripted"),
        (("--preset", "olama"), "did you mean ollama"),
        (("--preset", "azure"), "RESOURCE.openai.azure.com"),
        (("--url", "http://h/v1", "--provider", "acme"), "openai-responses"),
        (("--url", "http://h/v1", "--header", "X-Team: sk-secret"), "--header: it must be NAME=VALUE"),
        (("--url", "http://h/v1", "--query", "=1"), "--query: it must be NAME=VALUE"),
        (("--url", "http://h/v1", "--system-role", "none"), "merged"),
        (("--url", "http://h/v1", "--top-k", "-1"), "--top-k"),
    ],
)
def test_a_wrong_option_is_refused_before_any_call(
    services: ScriptedServices, arguments: tuple[str, ...], words: str
) -> None:
    refused = services.libra("models", "add", "m", *arguments)
    assert refused.exit_code == 2
    assert words in refused.stderr
    assert "sk-secret" not in refused.output
    assert services.requests == []


@pytest.mark.parametrize(("field", "option"), [("options.body_json", "--body"), ("options.headers[0]", "--header")])
def test_a_refused_field_is_named_by_its_option(services: ScriptedServices, field: str, option: str) -> None:
    services.replies["CreateModel"] = Invalid("it is wrong", field=f"model.{field}")
    refused = services.libra("models", "add", "m", "--url", "http://h/v1")
    assert (refused.exit_code, refused.stderr) == (2, f"error: {option}: it is wrong\n")


def test_a_model_is_tested_when_it_is_registered(services: ScriptedServices) -> None:
    services.replies["CreateModel"] = CreateModelResponse(model=Model(name="m", base_url="http://h/v1"))
    services.replies["TestModel"] = result(adjustments=LEARNED)
    added = services.libra("models", "add", "m", "--url", "http://h/v1/chat/completions")
    assert added.exit_code == 0, added.output
    assert "m is registered with the URL http://h/v1." in added.stdout
    assert "m answers after 0.8 s: Paris is the capital." in added.stdout
    assert "max_tokens: sent as max_completion_tokens" in added.stdout
    assert "libra run create --model m" in added.stdout


def test_a_failed_test_leaves_the_model_registered_and_fails_the_command(services: ScriptedServices) -> None:
    services.replies["CreateModel"] = CreateModelResponse(model=Model(name="m"))
    services.replies["TestModel"] = failure("nobody listens; check base_url of the model")
    added = services.libra("models", "add", "m", "--url", "http://h/v1")
    assert added.exit_code == 1
    assert "m is registered, but the test failed: nobody listens; check --url of the model" in added.stderr
    assert "libra models remove m" in added.stderr
    assert "libra run create" not in added.stdout
    services.replies["TestModel"] = Unavailable("the gateway is away")
    added = services.libra("models", "add", "m", "--url", "http://h/v1")
    assert added.exit_code == 3
    assert "m is registered, but could not be tested: the gateway is away" in added.stderr


def test_json_of_a_registration_is_one_document(services: ScriptedServices) -> None:
    services.replies["CreateModel"] = CreateModelResponse(model=Model(name="m"))
    services.replies["TestModel"] = failure("no")
    added = services.libra("models", "add", "m", "--url", "http://h/v1", "--json")
    assert added.exit_code == 1
    assert json.loads(added.stdout)["model"]["name"] == "m"


def test_a_test_shows_what_was_sent_and_what_came_back(services: ScriptedServices) -> None:
    services.replies["TestModel"] = result(exchanges=[EXCHANGE, EXCHANGE], adjustments=LEARNED, price=PRICE)
    shown = services.libra("models", "test", "m", "--question", "why?", "--timeout", "30")
    assert shown.exit_code == 0, shown.output
    assert (services.requests[-1].question, services.requests[-1].timeout_seconds) == ("why?", 30)
    for words in (
        f"request 2: POST {URL}/chat/completions",
        "Authorization: [key]",
        '{"model":"m"}',
        "response 1: 200 after 0.80 s",
        "Paris is the capital.",
        "answered",
        'max_tokens: sent as max_completion_tokens, because the endpoint says "use the other"',
        "0.82 s",
        "1,200 prompt, 5 answer",
        "$0.15 prompt, $0.6 answer per million tokens (a list, 2026)",
        "$0.000123",
    ):
        assert " ".join(words.split()) in " ".join(shown.stdout.split())
    assert "\x1b" not in shown.stdout
    assert json.loads(services.libra("models", "test", "m", "--json").stdout)["completion"]["attempts"] == 1


def test_what_is_not_known_is_not_shown_as_nothing(services: ScriptedServices) -> None:
    counted_none = Completion(text="yes", usage_unknown=True)
    services.replies["TestModel"] = result(counted_none, price=PRICE)
    shown = services.libra("models", "test", "m").stdout
    assert "unknown: the provider counts none" in shown
    assert "$0" not in shown.replace("$0.15", "").replace("$0.6", "")
    services.replies["TestModel"] = result(ANSWER)
    shown = services.libra("models", "test", "m").stdout
    assert "--completion-price" in shown
    assert "$0" not in shown
    services.replies["TestModel"] = result(Completion(text="yes"), price=ModelPrice())
    shown = services.libra("models", "test", "m").stdout
    assert "free of charge" in shown
    assert "$0" in shown


def classed(response_class: pb.ResponseClass.ValueType, text: str = "", words: str = "") -> Completion:
    return Completion(text=text, response=ProviderResponse(response_class=response_class, words=words))


@pytest.mark.parametrize(
    ("completion", "words", "code"),
    [
        (classed(pb.RESPONSE_CLASS_BLOCKED_INPUT, words="jailbreak"), "blocked a harmless question", 1),
        (classed(pb.RESPONSE_CLASS_BLOCKED_OUTPUT, "Par"), "blocked a harmless question", 1),
        (classed(pb.RESPONSE_CLASS_TOOL_CALLS, words="it called x"), "it called x", 1),
        (classed(pb.RESPONSE_CLASS_ANSWERED), "the answer is empty", 1),
        (classed(pb.RESPONSE_CLASS_TRUNCATED), "The model works", 0),
        (classed(pb.RESPONSE_CLASS_REFUSED, "No."), "refused", 0),
    ],
)
def test_every_class_of_response_has_its_exit_code(
    services: ScriptedServices, completion: Completion, words: str, code: int
) -> None:
    services.replies["TestModel"] = result(completion)
    shown = services.libra("models", "test", "m")
    assert (shown.exit_code, words in shown.output) == (code, True)
    assert services.libra("models", "test", "m", "--json").exit_code == code


def test_an_unknown_model_is_not_tested(services: ScriptedServices) -> None:
    services.replies["TestModel"] = NotFound("there is no model 'x'", field="model")
    refused = services.libra("models", "test", "x")
    assert (refused.exit_code, refused.stderr) == (2, "error: NAME: there is no model 'x'\n")


def statuses() -> list[ModelStatus]:
    long = Model(name="m" * 64, provider=Provider.PROVIDER_OPENAI_RESPONSES, base_url=URL, remote_model="o" * 70)
    parked = ModelHealth(state=ModelState.MODEL_STATE_PARKED, error="nobody listens at the endpoint " * 5)
    parked.answer_time.CopyFrom(Timestamp(seconds=1_790_000_000))
    keyed = Model(name="keyed", provider=Provider.PROVIDER_OPENAI, base_url="http://h/v1", api_key_env="K")
    return [
        ModelStatus(model=keyed, problem="the environment variable K is not set"),
        ModelStatus(model=long, health=parked),
        ModelStatus(model=Model(name="refuser", provider=Provider.PROVIDER_SCRIPTED)),
    ]


def test_models_are_listed_page_by_page_with_their_urls_whole(services: ScriptedServices) -> None:
    first, second, third = statuses()
    services.replies["ListModels"] = [
        ListModelsResponse(models=[first], next_page_token="t"),
        ListModelsResponse(models=[second, third]),
    ]
    listed = services.libra("models", "list").stdout
    lines = listed.splitlines()
    assert f"    {URL}" in lines
    assert "unusable  not yet" in listed
    assert "parked    2026-09-21 14:13 UTC" in listed
    assert "K is not set" in listed
    assert all(len(line) <= 80 for line in lines if "m" * 64 not in line and URL not in line)
    assert [line.split()[0] for line in lines if "scripted" in line] == ["refuser"]


def test_short_entries_fit_80_columns(services: ScriptedServices) -> None:
    model = Model(name="mine", provider=Provider.PROVIDER_AZURE_OPENAI, base_url="http://h/v1", remote_model="my/model")
    services.replies["ListModels"] = ListModelsResponse(models=[ModelStatus(model=model)])
    listed = services.libra("models", "list").stdout
    assert longest_line(listed) <= 80
    assert "    http://h/v1 my/model" in listed.splitlines()
    services.replies["ListModels"] = ListModelsResponse()
    assert "libra models add" in services.libra("models", "list").stdout


def test_a_model_is_shown_with_what_is_sent_and_its_price(services: ScriptedServices) -> None:
    options = RequestOptions(headers={"X-A": "1"}, header_variables={"X-K": "VAR"}, query={"v": "1"}, top_k=4)
    model = Model(name="m", provider=Provider.PROVIDER_AZURE_OPENAI, base_url=URL, api_key_file="f", options=options)
    services.replies["GetModel"] = GetModelResponse(model=model)
    services.replies["ListModels"] = ListModelsResponse(
        models=[ModelStatus(model=model, price=PRICE, adjustments=LEARNED)]
    )
    shown = " ".join(services.libra("models", "show", "m").stdout.split())
    for words in ("azure-openai", "X-A: 1", "X-K from VAR", "v=1", "the file f", "a list, 2026", "not yet", "ready"):
        assert words in shown
    assert "max_tokens: sent as max_completion_tokens" in shown
    assert services.requests[-1].name == "m"
    services.replies["ListModels"] = ListModelsResponse(models=[ModelStatus(model=model)])
    assert "price unknown" in " ".join(services.libra("models", "show", "m").stdout.split())


def test_presets_are_listed_within_80_columns(services: ScriptedServices) -> None:
    listed = services.libra("models", "presets").stdout
    assert all(len(line) <= 80 or line.split()[0] == "vertex" for line in listed.splitlines())
    assert {preset.key_variable[-8:] for preset in PRESETS.values()} == {"", "_API_KEY"}
    for preset in PRESETS.values():
        assert preset.name in listed
        assert preset.url in listed


def test_the_help_of_add_fits_80_columns_and_shows_every_option_once(services: ScriptedServices) -> None:
    text = services.libra("models", "add", "--help").stdout
    assert longest_line(text) <= 80
    for heading in ("Endpoint:", "API keys", "What is sent:", "Limits and prices:", "Other options:"):
        assert heading in text
    assert text.count("  --header NAME") == 1


def test_a_model_is_removed(services: ScriptedServices) -> None:
    services.replies["DeleteModel"] = DeleteModelResponse()
    assert "m is removed" in services.libra("models", "remove", "m").stdout


def test_limits_and_ceilings_are_changed(services: ScriptedServices) -> None:
    services.replies["UpdateModel"] = UpdateModelResponse(
        model=Model(name="m", ceiling=DailyAmount(usd=50, requests=900))
    )
    changed = services.libra("models", "update", "m", "--max-in-flight", "0", "--ceiling-usd", "50")
    request = services.requests[-1]
    assert request == UpdateModelRequest(name="m", max_in_flight=0, ceiling_usd=50)
    assert "$50.00, 900 requests per UTC day" in changed.stdout
    model = registered(services, "--url", "http://h/v1", "--ceiling-tokens", "1000")
    assert model.ceiling == DailyAmount(tokens=1000)
    assert not registered(services, "--url", "http://h/v1").HasField("ceiling")


def test_what_was_spent_today_is_shown(services: ScriptedServices) -> None:
    model = Model(name="m", provider=Provider.PROVIDER_OPENAI, ceiling=DailyAmount(usd=5, tokens=100))
    health = ModelHealth(
        state=ModelState.MODEL_STATE_PARKED,
        error="the ceiling is reached",
        spent_today=DailyAmount(usd=1.5, tokens=40),
        reserved_today=DailyAmount(usd=0.25, tokens=10, requests=1),
    )
    status = ModelStatus(model=model, health=health)
    services.replies["ListModels"] = ListModelsResponse(models=[status])
    services.replies["GetModel"] = GetModelResponse(model=model)
    listed = services.libra("models", "list").stdout
    assert "today: $1.50 of $5.00, 40 of 100 tokens, at most $0.2500, 10 tokens in" in " ".join(listed.split())
    assert "its trials wait" in " ".join(listed.split())
    assert "$1.50 of $5.00" in services.libra("models", "show", "m").stdout
