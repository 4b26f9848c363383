"""Every setting of every process has a type that limits its values, and every name is known."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_type_hints

import pytest

from libra.arena.settings import Settings as ArenaSettings
from libra.attack.settings import Settings as AttackSettings
from libra.cli.settings import Settings as CliSettings
from libra.core.setting_names import NAMES, list_unknown
from libra.core.settings import InvalidSettings, read, variable_names
from libra.dispatch.settings import Settings as DispatchSettings
from libra.gateway.settings import Settings as GatewaySettings
from libra.judge.settings import Settings as JudgeSettings
from libra.local.settings import Settings as LocalSettings
from libra.process.settings import CommonSettings, list_unknown_variables, load
from libra.ranking.settings import Settings as RankingSettings
from libra.web.settings import Settings as WebSettings

SERVICES: dict[str, type[Any]] = {
    "attack": AttackSettings,
    "dispatch": DispatchSettings,
    "gateway": GatewaySettings,
    "judge": JudgeSettings,
    "ranking": RankingSettings,
    "arena": ArenaSettings,
    "web": WebSettings,
}
CLASSES: list[tuple[type[Any], str]] = [
    *((cls, f"LIBRA_{name.upper()}_") for name, cls in SERVICES.items()),
    *((CommonSettings, f"LIBRA_{name.upper()}_") for name in SERVICES),
    (LocalSettings, "LIBRA_LOCAL_"),
    (CliSettings, "LIBRA_"),
]
NUMBERS = [
    (cls, prefix, variable_names(cls, prefix)[field.name])
    for cls, prefix in CLASSES
    for field in fields(cls)
    if get_type_hints(cls)[field.name] in (int, float)
]


def test_the_known_names_are_those_of_the_settings_classes() -> None:
    assert {name for cls, prefix in CLASSES for name in variable_names(cls, prefix).values()} == NAMES


@pytest.mark.parametrize("value", ["nan", "NaN", "-nan", "inf", "Infinity", "-inf", "1e999", "-1", "1e30", "", "x"])
@pytest.mark.parametrize(("cls", "prefix", "name"), NUMBERS, ids=[f"{cls.__name__}-{name}" for cls, _, name in NUMBERS])
def test_a_number_outside_its_range_is_refused(cls: type[Any], prefix: str, name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        read(cls, prefix, {name: value})


@pytest.mark.parametrize(("cls", "prefix", "name"), NUMBERS, ids=[f"{cls.__name__}-{name}" for cls, _, name in NUMBERS])
def test_zero_is_refused_where_it_has_no_meaning(cls: type[Any], prefix: str, name: str) -> None:
    if name == "LIBRA_LOCAL_NATS_STORE_BYTES":
        assert read(LocalSettings, prefix, {name: "0"}).nats_store_bytes == 0
        return
    if name.endswith("_DAYS"):  # everything is kept
        assert read(cls, prefix, {name: "0"}) == cls()
        return
    with pytest.raises(InvalidSettings, match=name):
        read(cls, prefix, {name: "0"})


@pytest.mark.parametrize(("cls", "prefix"), CLASSES)
def test_the_defaults_are_within_their_ranges(cls: type[Any], prefix: str) -> None:
    defaults = cls()
    names = variable_names(cls, prefix)
    given = {names[field.name]: str(getattr(defaults, field.name)) for field in fields(cls)}
    assert read(cls, prefix, given) == defaults


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIBRA_JUDGE_LISTEN", "127.0.0.1:65536"),
        ("LIBRA_JUDGE_METRICS_LISTEN", "127.0.0.1:99999"),
        ("LIBRA_JUDGE_GATEWAY_ADDRESS", ""),
        ("LIBRA_JUDGE_GATEWAY_ADDRESS", "gateway 50053"),
        ("LIBRA_MONGO_DATABASE", ""),
        ("LIBRA_MONGO_DATABASE", "a/b"),
        ("LIBRA_MONGO_DATABASE", "a.b"),
        ("LIBRA_MONGO_DATABASE", "$x"),
        ("LIBRA_MONGO_DATABASE", "x" * 64),
        ("LIBRA_OTLP_ENDPOINT", "http://a b"),
    ],
)
def test_a_text_outside_its_form_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        load("judge", JudgeSettings, {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIBRA_WEB_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("LIBRA_WEB_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("LIBRA_WEB_TRUSTED_PROXIES", "10.0.0.0/8,"),
        ("LIBRA_WEB_TRUSTED_PROXIES", "proxy.example"),
        ("LIBRA_WEB_TRUSTED_PROXIES", "*"),
        ("LIBRA_WEB_FORWARDED_HEADER", "x-real-ip"),
        ("LIBRA_WEB_ALLOW_REMOTE", "yes"),
    ],
)
def test_a_value_that_would_let_others_in_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        load("web", WebSettings, {name: value})


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("LIBRA_GATWAY_LISTEN", "LIBRA_GATEWAY_LISTEN"),
        ("LIBRA_JUDGE_SLOT", "LIBRA_JUDGE_SLOTS"),
        ("LIBRA_MONGO_URI", "LIBRA_MONGO_URL"),
        ("LIBRA_LOGLEVEL", "LIBRA_LOG_LEVEL"),
        ("LIBRA_DISPATCH_WINDOW_TRIAL", "LIBRA_DISPATCH_WINDOW_TRIALS"),
        ("LIBRA_RANKING_METRIC_LISTEN", "LIBRA_RANKING_METRICS_LISTEN"),
    ],
)
def test_a_misspelt_variable_gets_the_nearest_name(name: str, nearest: str) -> None:
    assert list_unknown_variables("judge", JudgeSettings, {name: "secret"}) == [
        f"{name} is not a setting; did you mean {nearest}?"
    ]


def test_a_variable_that_resembles_no_setting_gets_no_hint() -> None:
    assert list_unknown(["LIBRA_QQQQQ"]) == ["LIBRA_QQQQQ is not a setting"]


def test_variables_of_other_services_and_of_other_programs_are_no_settings_to_warn_about() -> None:
    others = dict.fromkeys([*NAMES, "PATH", "OPENAI_API_KEY", "LIBRARY_PATH", "libra_x"], "")
    assert list_unknown_variables("judge", JudgeSettings, others) == []


def test_a_service_of_your_own_knows_its_own_variables() -> None:
    variables = {"LIBRA_TINY_SLOTS": "", "LIBRA_TINY_LISTEN": "", "LIBRA_TINY_SLOT": ""}
    assert list_unknown_variables("tiny", JudgeSettings, variables) == [
        "LIBRA_TINY_SLOT is not a setting; did you mean LIBRA_TINY_SLOTS?"
    ]
