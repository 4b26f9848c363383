from __future__ import annotations

import pytest

from libra.core.access.key_rules import KeyRules
from libra.gateway.provider.keys.api_key import NoKey, scrub
from libra.gateway.provider.keys.model_keys import ModelKeys
from libra.v1.model_pb2 import Model, RequestOptions

MODEL = Model(name="m", api_key_env="A_API_KEY", options=RequestOptions(header_variables={"x-b": "B_API_KEY"}))
KEYS = {"A_API_KEY": "sk-first-0123456789", "B_API_KEY": "sk-second-0123456789"}


class Bindings:
    """Bindings in memory."""

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}
        self.reads = 0

    async def bind(self, source: str, target: str) -> str:
        self.reads += 1
        return self.targets.setdefault(source, target)


def test_every_key_of_a_request_is_found_and_masked() -> None:
    keys = ModelKeys(KEYS).find(MODEL)
    assert (keys.key, dict(keys.headers)) == (KEYS["A_API_KEY"], {"x-b": KEYS["B_API_KEY"]})
    assert scrub(f"{KEYS['A_API_KEY']} and {KEYS['B_API_KEY'][:12]}", keys.secrets) == "[key] and [key]"


@pytest.mark.parametrize("value", [None, "", "a\r\nb: c"])
def test_a_header_without_a_valid_key_is_reported_by_its_variable(value: str | None) -> None:
    environment = {"A_API_KEY": "sk"} | ({} if value is None else {"B_API_KEY": value})
    assert "B_API_KEY" in ModelKeys(environment).problem_of(MODEL)


def test_a_variable_outside_the_allow_list_is_never_read() -> None:
    model = Model(name="m", options=RequestOptions(header_variables={"x": "DATABASE_URL"}))
    problem = ModelKeys({"DATABASE_URL": "secret"}).problem_of(model)
    assert "DATABASE_URL cannot hold an API key" in problem
    assert "secret" not in problem


async def test_a_key_is_bound_at_its_first_use_and_the_binding_is_read_once() -> None:
    bindings = Bindings()
    keys = ModelKeys(KEYS, bind=bindings.bind)
    for _ in range(3):
        await keys.check_target(MODEL, "https://a.example")
    assert bindings.targets == {"variable:A_API_KEY": "https://a.example", "variable:B_API_KEY": "https://a.example"}
    assert bindings.reads == 2
    with pytest.raises(NoKey, match=r"bound to https://a\.example and is not sent to https://b\.example"):
        await keys.check_target(MODEL, "https://b.example")
    await keys.check_target(Model(name="keyless"), "https://b.example")


async def test_the_operators_hosts_precede_a_binding() -> None:
    bindings = Bindings()
    rules = KeyRules.parse("*", "A_API_KEY=b.example B_API_KEY=b.example")
    keys = ModelKeys(KEYS, rules, bind=bindings.bind)
    await keys.check_target(MODEL, "https://b.example")
    with pytest.raises(NoKey, match="A_API_KEY"):
        await keys.check_target(MODEL, "https://a.example")
    assert bindings.reads == 0
