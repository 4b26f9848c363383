"""Every method of every service has a rule, and no rule is about a method that does not exist."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor

import libra.v1
from libra.rpc.access.caller import Role
from libra.rpc.access.guard import REPLY, field_text
from libra.rpc.access.policy import RULES


def all_methods() -> dict[str, MethodDescriptor]:
    names = sorted(module.name for module in pkgutil.iter_modules(libra.v1.__path__))
    modules: list[Any] = [importlib.import_module(f"libra.v1.{name}") for name in names if name.endswith("_pb2")]
    return {
        f"{service.full_name}/{method.name}": method
        for module in modules
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }


METHODS = all_methods()
QUERIES = {
    "AuditArena",
    "AuditRun",
    "CalibrateGate",
    "CheckJudges",
    "ExportBattles",
    "PreviewJudging",
    "SuggestPrompts",
}
PLAY = {"StartBattle", "AddTurn", "StreamTurn", "Vote", "RevealBattle", "ProposePrompt"}
"""Methods of visitors of the arena, whose battles and votes are records themselves."""

READING = ("Get", "List", "Watch", "Compare", "Report", "Estimate", "Draw", "Score")


def test_the_table_has_exactly_the_methods_of_the_services() -> None:
    assert set(RULES) == set(METHODS)


def test_an_administrator_may_call_every_method() -> None:
    assert [method for method, rule in RULES.items() if Role.ADMIN not in rule.roles] == []


def test_a_reader_changes_nothing_and_spends_nothing() -> None:
    assert [method for method, rule in RULES.items() if rule.is_audited and Role.READER in rule.roles] == []


def test_a_method_that_is_not_named_as_a_query_is_audited_or_known_to_change_nothing() -> None:
    others = {method for method, rule in RULES.items() if not rule.is_audited and not name(method).startswith(READING)}
    assert {name(method) for method in others} == QUERIES | PLAY


def test_a_query_is_not_audited() -> None:
    audited = {name(method) for method, rule in RULES.items() if rule.is_audited}
    assert {method for method in audited if method.startswith(READING)} == set()


@pytest.mark.parametrize("method", sorted(method for method, rule in RULES.items() if rule.resource))
def test_the_field_of_the_resource_exists(method: str) -> None:
    path, descriptor = RULES[method].resource, METHODS[method]
    message_type: Any = descriptor.output_type if path.startswith(REPLY) else descriptor.input_type
    for part in path.removeprefix(REPLY).split("."):
        message_type = message_type.fields_by_name[part].message_type


def test_a_resource_is_short_printable_text() -> None:
    request_type = METHODS["libra.v1.RunService/CancelRun"].input_type._concrete_class  # type: ignore[attr-defined]  # not in the stubs
    assert field_text(request_type(id="a\n\x1b" + "b" * 500), "id") == "a" + "b" * 199


def name(method: str) -> str:
    return method.rpartition("/")[2]
