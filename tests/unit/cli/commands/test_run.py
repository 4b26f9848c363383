from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.scripted_services import ScriptedServices

from libra.core.errors import Invalid, LibraError, Unavailable
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.run_pb2 import (
    CreateRunResponse,
    GetRunResponse,
    ListRunsResponse,
    OutcomeCounts,
    ResponseCounts,
    Run,
    RunSpec,
    RunState,
    WatchRunResponse,
)


def run(state: RunState.ValueType, revision: int = 1, **counts: int) -> Run:
    spec = RunSpec(models=["mine"], tasks=["letters@0"], attacks=["none"], epochs=1)
    return Run(id="01RUN", spec=spec, state=state, trials=10, counts=OutcomeCounts(**counts), revision=revision)


STARTED = run(RunState.RUN_STATE_RUNNING)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (run(RunState.RUN_STATE_FINISHED, 9, scored=8, filtered=2), 0),
        (run(RunState.RUN_STATE_FINISHED, 9, scored=9, failed=1), 1),
        (run(RunState.RUN_STATE_FINISHED, 9, scored=9, unjudged=1), 1),
        (run(RunState.RUN_STATE_CANCELLED, 9, scored=3), 1),
    ],
)
def test_the_exit_code_of_a_watch_shows_how_the_run_ended(services: ScriptedServices, end: Run, code: int) -> None:
    half = run(RunState.RUN_STATE_RUNNING, 4, scored=3)
    services.replies["CreateRun"] = CreateRunResponse(run=STARTED, warnings=["few_shots does not apply to letters"])
    # The first stream breaks, as it does when dispatch restarts.
    services.replies["WatchRun"] = [
        [WatchRunResponse(run=half)],
        [WatchRunResponse(run=half, heartbeat=True), WatchRunResponse(run=end)],
    ]
    result = services.libra("run", "create", "--model", "mine", "--task", "*", "--watch")
    assert result.exit_code == code, result.output
    assert "note: few_shots does not apply to letters" in result.stderr
    assert "1 of 10 trials" not in result.stdout
    assert "of 10 trials" in result.stderr
    assert result.stdout.startswith("run 01RUN ")
    assert [request.after_revision for request in services.requests[1:]] == [1, 4]


def test_with_json_only_the_reply_is_on_stdout(services: ScriptedServices) -> None:
    end = run(RunState.RUN_STATE_FINISHED, 9, scored=9, failed=1)
    services.replies |= {"GetRun": GetRunResponse(run=STARTED), "WatchRun": [[WatchRunResponse(run=end)]]}
    result = services.libra("run", "watch", "01RUN", "--json")
    assert result.exit_code == 1
    shown = json.loads(result.stdout)
    assert (shown["state"], shown["counts"]["failed"], shown["spec"]["models"]) == ("RUN_STATE_FINISHED", "1", ["mine"])


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            Invalid("there is no model 'mien': did you mean mine?", field="spec.models[0]"),
            2,
            "error: --model: there is no",
        ),
        (Invalid("more than 64 characters", field="request_id"), 2, "error: request_id: more than"),
        (Unavailable("mongod cannot be reached"), 3, "error: mongod cannot be reached"),
    ],
)
def test_an_error_names_the_option_and_has_an_exit_code(
    services: ScriptedServices, error: LibraError, code: int, message: str
) -> None:
    services.replies["CreateRun"] = error
    result = services.libra("run", "create", "--model", "mien", "--task", "*", "--watch")
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stdout == ""


def test_an_error_in_a_run_file_names_its_line(services: ScriptedServices, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("models:\n  - mine\n  - mien\ntasks: ['*']\n")
    services.replies["CreateRun"] = Invalid("there is no model 'mien'", field="spec.models[1]")
    result = services.libra("run", "create", file)
    assert result.exit_code == 2
    assert f"error: {file}, line 3: models[1]: there is no model 'mien'" in result.stderr
    file.write_text("modles: [mine]\n")
    assert services.libra("run", "create", file).exit_code == 2
    assert services.libra("run", "create", tmp_path / "missing.yaml").exit_code == 2


def test_last_is_the_newest_run(services: ScriptedServices) -> None:
    services.replies["ListRuns"] = ListRunsResponse(runs=[STARTED])
    result = services.libra("run", "show", "last")
    assert result.exit_code == 0
    assert "01RUN" in result.stdout
    services.replies["ListRuns"] = ListRunsResponse()
    assert services.libra("run", "show", "last").exit_code == 2
    assert "no run yet" in services.libra("run", "list").stdout


def cut_off_run(**fields: Any) -> Run:
    """A finished run with two models, of which one was cut off and the other blocked."""
    found = run(RunState.RUN_STATE_FINISHED, 9, scored=70, filtered=5, unjudged=4, failed=1)
    mine, other = ResponseCounts(truncated=3, refused_by_model=2), ResponseCounts(blocked_input=3, blocked_output=2)
    other.tool_calls = 4
    found.models.add(model="mine", counts=OutcomeCounts(scored=40), responses=mine)
    found.models.add(model="other", counts=OutcomeCounts(scored=30, filtered=5, unjudged=4, failed=1), responses=other)
    found.spec.MergeFrom(RunSpec(**fields))
    return found


def test_the_summary_of_a_run_says_what_was_cut_off_and_blocked(services: ScriptedServices) -> None:
    ended = cut_off_run()
    services.replies |= {"GetRun": GetRunResponse(run=STARTED), "WatchRun": [[WatchRunResponse(run=ended)]]}
    text = " ".join(services.libra("run", "watch", "01RUN").stdout.split())
    assert "3 of 40 answers of mine were cut off at 512 tokens: raise --max-tokens" in text
    assert "5 requests were blocked by the provider (3 at input, 2 at output): counted as refusals" in text
    assert "2 answers were marked by the provider as refused by the model itself" in text
    assert "4 answers were tool calls without text: UNJUDGED" in text


def test_the_summary_names_the_limit_of_the_run(services: ScriptedServices) -> None:
    limited = cut_off_run(parameters=GenerationParameters(max_tokens=2000))
    services.replies["GetRun"] = GetRunResponse(run=limited)
    assert "were cut off at 2,000 tokens" in services.libra("run", "show", "01RUN").stdout
    shown = json.loads(services.libra("run", "show", "01RUN", "--json").stdout)
    counts = shown["models"][0]["responses"]
    assert {name: count for name, count in counts.items() if count != "0"} == {
        "refused_by_model": "2",
        "truncated": "3",
    }


def test_a_run_of_complete_answers_has_no_further_sentence(services: ScriptedServices) -> None:
    services.replies["GetRun"] = GetRunResponse(run=run(RunState.RUN_STATE_FINISHED, 9, scored=10))
    shown = services.libra("run", "show", "01RUN").stdout
    assert not any(word in shown for word in ("cut off", "blocked", "tool calls"))


def test_the_list_says_that_there_are_more_runs(services: ScriptedServices) -> None:
    services.replies["ListRuns"] = ListRunsResponse(runs=[STARTED], next_page_token="more")
    result = services.libra("run", "list", "--limit", "1")
    assert "these are the newest 1 runs; --limit 0 lists all" in result.stderr
    services.replies["ListRuns"] = ListRunsResponse(runs=[STARTED])
    for limit in ("1", "0"):
        assert services.libra("run", "list", "--limit", limit).stderr == ""
