"""A transcript says how the request differed from what was asked."""

from __future__ import annotations

import pytest

from libra.cli.render.transcript import print_verdict
from libra.v1.completion_pb2 import Adjustment, Completion
from libra.v1.verdict_pb2 import Outcome, Verdict


def test_the_adjustments_of_a_request_stand_below_its_answer(capsys: pytest.CaptureFixture[str]) -> None:
    adjustments = [Adjustment(parameter="max_tokens", replacement="n_predict"), Adjustment(parameter="seed")]
    verdict = Verdict(model="m", outcome=Outcome.OUTCOME_SCORED, completion=Completion(text="42"))
    print_verdict(verdict)
    assert "the request was adjusted" not in capsys.readouterr().out
    verdict.completion.adjustments.extend(adjustments)
    print_verdict(verdict)
    shown = capsys.readouterr().out
    assert "the request was adjusted:\n    max_tokens: sent as n_predict\n    seed: not sent\n" in shown
