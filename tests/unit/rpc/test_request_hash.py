"""A repeat of a request has its hash; a request that differs in any other field than request_id has another one."""

from __future__ import annotations

import pytest

from libra.rpc.request_hash import hash_request
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.run_pb2 import CreateRunRequest, RunSpec

JUDGES = {"b": "exact", "a": "refusal"}
SPEC = RunSpec(models=["one", "two"], tasks=["mine"], judges=JUDGES)


def hash_of(spec: RunSpec, request_id: str = "once") -> str:
    return hash_request(CreateRunRequest(spec=spec, request_id=request_id))


def test_neither_the_request_id_nor_the_order_of_a_map_changes_the_hash() -> None:
    reordered = RunSpec(models=["one", "two"], tasks=["mine"], judges=dict(reversed(JUDGES.items())))
    assert hash_of(SPEC) == hash_of(SPEC, "twice") == hash_of(reordered) == hash_of(SPEC, "")


def test_the_hash_is_the_same_in_every_version() -> None:
    assert hash_of(RunSpec(models=["one"])) == "60e71c7083936eb4237b9f049b9456920d818d9a20744feb33d8dee77a8417f3"


@pytest.mark.parametrize(
    "changes",
    [
        RunSpec(epochs=2),
        RunSpec(models=["three"]),
        RunSpec(judges={"c": "exact"}),
        RunSpec(judges={"a": "exact"}),
        RunSpec(attacks=["none"]),
        RunSpec(parameters=GenerationParameters(temperature=0)),
        RunSpec(parameters=GenerationParameters(top_p=0.5)),
    ],
)
def test_another_spec_has_another_hash(changes: RunSpec) -> None:
    spec = RunSpec()
    spec.CopyFrom(SPEC)
    spec.MergeFrom(changes)
    assert hash_of(spec) != hash_of(SPEC)
