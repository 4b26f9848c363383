from __future__ import annotations

import pytest

from libra.core.access.key_rules import DEFAULT_VARIABLES, KeyRules, KeySource, is_covered, key_sources, key_target
from libra.core.http.host_name import InvalidHost
from libra.core.setting_names import list_unknown
from libra.v1.model_pb2 import Model, RequestOptions

SOURCE = KeySource("A_API_KEY", "model.api_key_env")


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "A_API_TOKEN", "LIBRA_KEY_OPENAI"])
def test_the_default_allows_the_usual_names(name: str) -> None:
    assert KeyRules().problem_of_variable(name) == ""
    assert KeyRules.parse(DEFAULT_VARIABLES, "") == KeyRules()


@pytest.mark.parametrize(
    "name", ["HOME", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "API_KEY_OF_A", "a_api_key", "HTTPS_PROXY"]
)
def test_other_variables_are_refused_with_the_setting(name: str) -> None:
    assert "LIBRA_GATEWAY_KEY_VARIABLES" in KeyRules().problem_of_variable(name)
    assert KeyRules.parse(f"{name},*_API_KEY", "").problem_of_variable(name) == ""


@pytest.mark.parametrize("name", ["LIBRA_MONGO_URL", "LIBRA_GATEWAY_KEY_HOSTS", "LIBRA_NATS_URL", "LIBRA_API_KEY"])
def test_no_pattern_allows_a_setting_of_libra(name: str) -> None:
    for patterns in ("*", name, "LIBRA_*"):
        assert "LIBRA_KEY_NAME" in KeyRules.parse(patterns, "").problem_of_variable(name)


def test_a_variable_for_a_key_is_no_unknown_setting() -> None:
    assert not any("LIBRA_KEY_OPENAI" in each for each in list_unknown(["LIBRA_KEY_OPENAI"]))


@pytest.mark.parametrize(
    ("target", "bound", "is_allowed"),
    [
        ("https://a.example", "https://a.example", True),
        ("https://b.example", "https://a.example", False),
        ("http://a.example", "https://a.example", False),
        ("https://a.example", "http://a.example", True),
        ("https://a.example.evil", "https://a.example", False),
        ("https://sub.a.example", "https://a.example", False),
    ],
)
def test_a_key_goes_to_its_host_only_and_never_from_tls_to_plain_text(
    target: str, bound: str, *, is_allowed: bool
) -> None:
    assert is_covered(target, bound) == is_allowed
    assert (KeyRules().problem_of_target(SOURCE, target, bound) == "") == is_allowed


def test_the_operator_names_the_hosts_of_a_key() -> None:
    rules = KeyRules.parse("*", "A_API_KEY=a.example,EU.a.example B_API_KEY=http://b.example\nA_API_KEY=[::1]")
    assert rules.problem_of_target(SOURCE, "https://eu.a.example", "https://elsewhere") == ""
    assert rules.problem_of_target(SOURCE, "https://[::1]", "") == ""
    problem = rules.problem_of_target(SOURCE, "https://b.example", "https://b.example")
    assert "A_API_KEY is bound to" in problem


def test_the_remedy_of_a_refusal_works() -> None:
    problem = KeyRules().problem_of_target(SOURCE, "http://b.example", "https://a.example")
    setting = problem.partition("LIBRA_GATEWAY_KEY_HOSTS=")[2]
    rules = KeyRules.parse("", setting)
    assert rules.problem_of_target(SOURCE, "http://b.example", "") == ""
    assert rules.problem_of_target(SOURCE, "https://a.example", "") == ""


@pytest.mark.parametrize("hosts", ["A_API_KEY", "A_API_KEY=", "=a", "A=a b", "A_API_KEY=a/b@c d"])
def test_an_invalid_setting_is_refused(hosts: str) -> None:
    with pytest.raises(ValueError):
        KeyRules.parse("*", hosts)


@pytest.mark.parametrize("variables", ["a-b", "A=B", "A B"])
def test_an_invalid_pattern_is_refused(variables: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        KeyRules.parse(variables, "")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://API.example:8443/v1", "https://api.example"),
        ("http://127.1:80", "http://127.0.0.1"),
        ("https://[::1]:1/x?y", "https://[::1]"),
    ],
)
def test_a_key_is_bound_to_scheme_and_host(url: str, target: str) -> None:
    assert key_target(url) == target


def test_a_url_without_a_host_has_no_target() -> None:
    with pytest.raises(InvalidHost):
        key_target("https:///x")


def test_every_source_of_keys_is_found() -> None:
    options = RequestOptions(header_variables={"x-a": "B_API_KEY", "x-b": "B_API_KEY", "x-c": "A_API_KEY"})
    model = Model(api_key_file="k", options=options)
    assert [source.id for source in key_sources(model)] == ["file:k", "variable:A_API_KEY", "variable:B_API_KEY"]
    assert key_sources(Model()) == []
