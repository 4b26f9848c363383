"""Results of the client: each class fits its message, and both clients have the same methods."""

from __future__ import annotations

import inspect
from dataclasses import is_dataclass
from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from libra import client
from libra.client import AsyncLibraClient, LibraClient, results
from libra.client.conversion import to_result
from libra.client.results import Board, Comparison, ComparisonReport, Run, Verdict, verdict_frame
from libra.v1 import ranking_pb2, run_pb2, verdict_pb2

MESSAGES = {
    Run: run_pb2.Run,
    Board: ranking_pb2.Board,
    ComparisonReport: ranking_pb2.CompareModelsResponse,
    Verdict: verdict_pb2.Verdict,
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_an_empty_message_has_a_result(kind: type) -> None:
    assert isinstance(to_result(kind, MESSAGES[kind]()), kind)


def test_every_field_of_a_run_is_read() -> None:
    created = Timestamp(seconds=1_800_000_000)
    message = run_pb2.Run(
        id="r1",
        spec=run_pb2.RunSpec(models=["a"], tasks=["t@1"], attacks=["none"], epochs=2),
        state=run_pb2.RunState.RUN_STATE_FINISHED,
        trials=4,
        counts=run_pb2.OutcomeCounts(scored=3, failed=1),
        create_time=created,
        models=[run_pb2.ModelProgress(model="a", answered=1)],
    )
    run = to_result(Run, message)
    assert (run.state, run.has_ended, run.counts.total, run.spec.models) == ("finished", True, 4, ("a",))
    assert run.create_time == datetime.fromtimestamp(1_800_000_000, UTC)
    assert (run.end_time, run.models[0].answered) == (None, 1)


def test_an_unknown_value_is_none_and_zero_stays_zero() -> None:
    message = ranking_pb2.BoardRow(model="a", safety=ranking_pb2.Estimate(value=0.0, standard_error=0.0))
    row = to_result(results.BoardRow, message)
    assert row.overall is None
    assert row.safety is not None
    assert (row.safety.value, row.safety.standard_error, row.safety.low) == (0.0, 0.0, None)


@pytest.mark.parametrize(
    ("difference", "p", "p_holm", "verdict"),
    [
        (0.2, 0.01, None, "better"),
        (-0.2, 0.01, None, "worse"),
        (-0.2, 0.01, 0.2, "undecided"),
        (0.2, None, None, "undecided"),
    ],
)
def test_a_comparison_has_a_verdict(difference: float, p: float | None, p_holm: float | None, verdict: str) -> None:
    estimate = results.Estimate(difference, 0.1, 10, None, None)
    assert Comparison("overall", 10, 0.5, 0.3, estimate, "normal", p, p_holm, None).verdict == verdict


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> dict[str, list[str]]:
        public = {name: member for name, member in vars(kind).items() if callable(member) and name[0] != "_"}
        return {name: list(inspect.signature(member).parameters) for name, member in sorted(public.items())}

    assert methods(LibraClient) == methods(AsyncLibraClient)


def test_every_result_is_exported_or_belongs_to_one() -> None:
    classes = [member for member in vars(results).values() if inspect.isclass(member) and is_dataclass(member)]
    assert {member.__name__ for member in classes} <= set(client.__all__)


def test_verdicts_become_a_data_frame_with_their_fields() -> None:
    message = verdict_pb2.Verdict(id="v1", outcome=verdict_pb2.OUTCOME_SCORED, score=1.0, fields={"form": "list"})
    frame = verdict_frame([to_result(Verdict, message)])
    assert frame.loc[0, ["outcome", "score", "field_form"]].tolist() == ["scored", 1.0, "list"]


def test_a_board_becomes_a_data_frame_with_a_line_for_each_model() -> None:
    row = ranking_pb2.BoardRow(model="a", rank=1, overall=ranking_pb2.Estimate(value=0.5, low=0.4, high=0.6))
    category = row.categories.add(category="CATEGORY_CAPABILITY")
    category.tasks.add(task="sums", attack="none", score=ranking_pb2.Estimate(value=0.25))
    board = to_result(Board, ranking_pb2.Board(rows=[row]))
    assert board.to_frame()[["model", "overall", "overall_low"]].values.tolist() == [["a", 0.5, 0.4]]
    assert board.tasks_to_frame()[["category", "task", "score"]].values.tolist() == [["capability", "sums", 0.25]]
