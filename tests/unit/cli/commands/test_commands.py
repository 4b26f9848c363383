"""The command's words and exit codes, against a server that gives the answers a test lays out for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import CliRunner, Result
from grpc_status import rpc_status
from tests.unit.cli.boards import BOARD

from libra.cli.__main__ import main
from libra.errors import Invalid, LibraError, NotFound, Unavailable
from libra.rpc.errors import to_status
from libra.v1 import ranking_pb2_grpc, run_pb2_grpc
from libra.v1.message_pb2 import Message
from libra.v1.ranking_pb2 import (
    AuditFinding,
    AuditRunResponse,
    Board,
    CapabilityChoice,
    GetBoardRequest,
    GetBoardResponse,
    ListVerdictsResponse,
)
from libra.v1.run_pb2 import (
    CreateRunResponse,
    GetRunResponse,
    ListRunsResponse,
    OutcomeCounts,
    Run,
    RunSpec,
    RunState,
    WatchRunResponse,
)
from libra.v1.verdict_pb2 import Outcome, Verdict

Libra = Callable[..., Result]


class Laid:
    """Answers as they were laid out: by method, a message, an error, or a list of either; a stream is a list itself."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.requests: list[Any] = []

    def give(self, method: str) -> Callable[[Any, grpc.ServicerContext], Any]:
        def given(request: Any, context: grpc.ServicerContext) -> Any:
            self.requests.append(request)
            answer = self.answers[method]
            answer = answer.pop(0) if isinstance(answer, list) else answer
            if isinstance(answer, LibraError):
                context.abort_with_status(rpc_status.to_status(to_status(answer, "r1")))
            return iter(answer) if isinstance(answer, list) else answer

        return given

    def servicer(self, base: type, *methods: str) -> Any:
        """Return a service that gives what is laid out for `methods`; it has no others."""
        return type(base.__name__, (base,), {name: staticmethod(self.give(name)) for name in methods})()


@pytest.fixture
def laid() -> Laid:
    return Laid()


@pytest.fixture
def libra(laid: Laid, tmp_path: Path) -> Iterator[Libra]:
    server = grpc.server(ThreadPoolExecutor(2))
    runs = laid.servicer(run_pb2_grpc.RunServiceServicer, "CreateRun", "GetRun", "ListRuns", "WatchRun")
    run_pb2_grpc.add_RunServiceServicer_to_server(runs, server)
    ranking = laid.servicer(ranking_pb2_grpc.RankingServiceServicer, "GetBoard", "ListVerdicts", "AuditRun")
    ranking_pb2_grpc.add_RankingServiceServicer_to_server(ranking, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    env = {"LIBRA_DISPATCH_ADDRESS": address, "LIBRA_RANKING_ADDRESS": address, "LIBRA_DATA": str(tmp_path / "none")}
    yield lambda *words: CliRunner(env=env).invoke(main, words)
    server.stop(None).wait()


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
def test_a_watch_exits_as_the_run_went(laid: Laid, libra: Libra, end: Run, code: int) -> None:
    half = run(RunState.RUN_STATE_RUNNING, 4, scored=3)
    laid.answers["CreateRun"] = CreateRunResponse(run=STARTED, warnings=["few_shots is not put to letters"])
    # The first stream breaks off, as it does when dispatch restarts.
    laid.answers["WatchRun"] = [
        [WatchRunResponse(run=half)],
        [WatchRunResponse(run=half, heartbeat=True), WatchRunResponse(run=end)],
    ]
    result = libra("run", "create", "--model", "mine", "--task", "*", "--watch")
    assert result.exit_code == code, result.output
    assert "note: few_shots is not put to letters" in result.stderr
    assert "1 of 10 trials" not in result.stdout
    assert "of 10 trials" in result.stderr
    assert result.stdout.startswith("run 01RUN ")
    assert [request.after_revision for request in laid.requests[1:]] == [1, 4]


def test_with_json_nothing_else_is_on_stdout(laid: Laid, libra: Libra) -> None:
    end = run(RunState.RUN_STATE_FINISHED, 9, scored=9, failed=1)
    laid.answers |= {"GetRun": GetRunResponse(run=STARTED), "WatchRun": [[WatchRunResponse(run=end)]]}
    result = libra("run", "watch", "01RUN", "--json")
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
        (Invalid("it has more than 64 characters", field="request_id"), 2, "error: request_id: it has"),
        (Unavailable("mongod cannot be reached"), 3, "error: mongod cannot be reached"),
    ],
)
def test_a_fault_has_the_users_words_and_tells_whose_it_is(
    laid: Laid, libra: Libra, error: LibraError, code: int, message: str
) -> None:
    laid.answers["CreateRun"] = error
    result = libra("run", "create", "--model", "mien", "--task", "*", "--watch")
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stdout == ""


def test_a_fault_in_a_run_file_is_named_with_its_line(laid: Laid, libra: Libra, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("models:\n  - mine\n  - mien\ntasks: ['*']\n")
    laid.answers["CreateRun"] = Invalid("there is no model 'mien'", field="spec.models[1]")
    result = libra("run", "create", str(file))
    assert result.exit_code == 2
    assert f"error: {file}, line 3: models[1]: there is no model 'mien'" in result.stderr
    file.write_text("modles: [mine]\n")
    assert libra("run", "create", str(file)).exit_code == 2
    assert libra("run", "create", str(tmp_path / "missing.yaml")).exit_code == 2


def test_last_is_the_newest_run(laid: Laid, libra: Libra) -> None:
    laid.answers["ListRuns"] = ListRunsResponse(runs=[STARTED])
    result = libra("run", "show", "last")
    assert result.exit_code == 0
    assert "01RUN" in result.stdout
    laid.answers["ListRuns"] = ListRunsResponse()
    assert libra("run", "show", "last").exit_code == 2
    assert "no run yet" in libra("run", "list").stdout


def test_an_audit_exits_1_if_a_law_is_broken(laid: Laid, libra: Libra) -> None:
    laws = ["every trial has exactly one verdict", "the cells equal the sums"]
    laid.answers["AuditRun"] = AuditRunResponse(laws=laws, verdicts=12)
    result = libra("audit", "01RUN")
    assert result.exit_code == 0
    assert "the audit passes" in result.stdout
    finding = AuditFinding(law=laws[0], message="2 trials have none", concerned=[f"trial-{n}" for n in range(12)])
    laid.answers["AuditRun"] = AuditRunResponse(laws=laws, findings=[finding])
    result = libra("audit", "01RUN")
    assert result.exit_code == 1
    assert "BROKEN  every trial" in result.stdout
    assert "holds   the cells" in result.stdout
    assert "and 2 more" in result.stdout
    laid.answers["AuditRun"] = NotFound("there is no run 'x'", field="run")
    result = libra("audit", "x")
    assert result.exit_code == 2
    assert "error: RUN: there is no run 'x'" in result.stderr


def test_verdicts_are_gathered_from_their_pages(laid: Laid, libra: Libra) -> None:
    def page(sample: int, token: str) -> ListVerdictsResponse:
        verdict = Verdict(id=f"v{sample}", model="mine", task="letters@0", attack="few_shots", sample=sample)
        verdict.outcome, verdict.score = Outcome.OUTCOME_SCORED, 1.0
        verdict.messages.append(Message(role="user", content="say \x1b[31mA"))
        return ListVerdictsResponse(verdicts=[verdict], next_page_token=token)

    laid.answers["ListVerdicts"] = [page(0, "t"), page(1, "")]
    shown = json.loads(libra("verdicts", "01RUN", "--outcome", "scored", "--json").stdout)
    assert [verdict["id"] for verdict in shown["verdicts"]] == ["v0", "v1"]
    assert shown["verdicts"][0]["outcome"] == "OUTCOME_SCORED"
    laid.answers["ListVerdicts"] = [page(0, "t")]
    result = libra("verdicts", "01RUN", "--limit", "1")
    assert "letters+few_shots" in result.stdout
    assert "--limit 0 prints all" in result.stderr
    laid.answers["ListVerdicts"] = [page(0, "")]
    full = libra("verdicts", "01RUN", "--full").stdout
    assert "say ␛[31mA" in full
    assert libra("verdicts", "01RUN", "--outcome", "lost").exit_code == 2


def test_an_empty_board_says_what_to_do(laid: Laid, libra: Libra) -> None:
    laid.answers["GetBoard"] = GetBoardResponse(board=Board(revision=7))
    assert "libra run create" in libra("board").stdout
    assert json.loads(libra("board", "--json").stdout)["board"]["revision"] == "7"
    assert libra("board", "--format", "csv").stdout.startswith("rank,model,overall,")
    assert libra("board", "--format", "xml").exit_code == 2


def test_a_board_is_asked_for_as_it_is_wanted(laid: Laid, libra: Libra) -> None:
    laid.answers["GetBoard"] = GetBoardResponse(board=BOARD)
    plain = libra("board").stdout
    assert "78.8 76.4-81.0" in plain
    assert "distance" not in plain
    told = libra("board", "--formulas", "--judges", "--correct", "--capability", "imported", "--model", "one").stdout
    assert "83.1-87.0" in told
    assert "0123456789ab" in told
    assert laid.requests[0] == GetBoardRequest()
    assert laid.requests[1] == GetBoardRequest(
        models=["one"], capability=CapabilityChoice.CAPABILITY_CHOICE_IMPORTED, correct_judges=True
    )
    assert libra("board", "--capability", "guessed").exit_code == 2


def test_where_nothing_is_up_it_says_how_to_start_it(tmp_path: Path) -> None:
    for words in (["board"], ["run", "list"], ["tasks", "list"], ["models", "list"], ["judges", "list"]):
        result = CliRunner().invoke(main, ["--data", str(tmp_path), *words])
        assert result.exit_code == 3, words
        assert "run `libra up`" in result.stderr


def test_every_command_tells_what_it_is_for() -> None:
    def every(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for name, part in getattr(command, "commands", {}).items():
            yield from every(part, (*path, name))

    for path in every(main, ()):
        result = CliRunner().invoke(main, [*path, "--help"])
        assert result.exit_code == 0, path
        assert max(map(len, result.stdout.splitlines())) <= 100, path
    for words in (["run", "create", "--seed", "x"], ["models", "add", "m"], ["dead", "show", "0"], ["nothing"]):
        assert CliRunner().invoke(main, words).exit_code == 2, words
