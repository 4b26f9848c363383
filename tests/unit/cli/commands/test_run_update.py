"""`libra run update` changes the budget of a run and the limits of its models."""

from __future__ import annotations

from tests.unit.cli.scripted_services import ScriptedServices

from libra.v1.model_pb2 import UpdateModelRequest, UpdateModelResponse
from libra.v1.run_control_pb2 import UpdateRunBudgetRequest, UpdateRunBudgetResponse
from libra.v1.run_pb2 import Budget, GetRunResponse, Run, RunSpec

RUN = Run(id="r", spec=RunSpec(models=["a", "b"], judge_model="judge"))


def update(services: ScriptedServices, *arguments: str) -> tuple[str, list[object]]:
    """Return the output, and the requests that change something."""
    services.replies["GetRun"] = GetRunResponse(run=RUN)
    services.replies["UpdateModel"] = UpdateModelResponse()
    services.replies["UpdateRunBudget"] = UpdateRunBudgetResponse(run=RUN)
    services.requests.clear()
    output = services.libra("run", "update", "r", *arguments).output
    changes = [each for each in services.requests if isinstance(each, UpdateModelRequest | UpdateRunBudgetRequest)]
    return output, list(changes)


def test_limits_of_every_model_under_test_are_changed(services: ScriptedServices) -> None:
    output, requests = update(services, "--max-in-flight", "32", "--requests-per-minute", "0")
    assert requests == [UpdateModelRequest(name=name, max_in_flight=32, requests_per_minute=0) for name in ("a", "b")]
    assert "The limits of a, b are changed, for all runs." in output


def test_the_limits_of_one_model_and_the_budget_are_changed(services: ScriptedServices) -> None:
    _, requests = update(services, "--model", "judge", "--tokens-per-minute", "9", "--budget-usd", "2")
    assert requests == [
        UpdateRunBudgetRequest(id="r", budget=Budget(usd=2)),
        UpdateModelRequest(name="judge", tokens_per_minute=9),
    ]


def test_a_change_of_nothing_or_of_another_model_is_refused(services: ScriptedServices) -> None:
    output, requests = update(services)
    assert "set at least one limit" in output
    assert not requests
    output, requests = update(services, "--model", "c", "--max-in-flight", "1")
    assert "the run asks a, b, judge, not c" in output
    assert not requests
