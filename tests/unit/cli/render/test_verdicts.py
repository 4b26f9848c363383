"""Verdicts of models and tasks with long names, in a narrow terminal."""

from __future__ import annotations

import pytest

from libra.cli.render.verdicts import print_verdicts
from libra.v1.verdict_pb2 import Outcome, Verdict

MODEL = "Meta-Llama-3.1-405B-Instruct-Turbo-FP8-2024-07-23"
TASK, ATTACK = "self_awareness_of_harmful_requests_in_the_wild", "translation_portuguese+refusal_suppression"
REASON = "the answer begins with an apology and then goes on to explain at some length how magnets work"


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def long(sample: int, epoch: int = 0) -> Verdict:
    return Verdict(
        model=MODEL,
        task=f"{TASK}@0123456789ab",
        attack=ATTACK,
        sample=sample,
        epoch=epoch,
        outcome=Outcome.OUTCOME_SCORED,
        score=1 / 3,
        label="ignored the request",
        rationale=REASON,
    )


def short(sample: int) -> Verdict:
    task, attack = "riddles@0123456789ab", "none"
    return Verdict(
        model="m", task=task, attack=attack, sample=sample, outcome=Outcome.OUTCOME_FAILED, rationale="no \x1b"
    )


def test_names_are_printed_once_and_in_full_above_their_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    print_verdicts([long(12345), long(12345, 1), long(12346), short(7)])
    lines = capsys.readouterr().out.splitlines()
    assert lines.count(f"{MODEL}  {TASK}+{ATTACK}") == 1
    assert lines.count("m  riddles") == 1
    assert sum("ignored the request" in line for line in lines) == 3
    assert all(len(line) <= 80 for line in lines if MODEL not in line)
    assert len(lines) <= 2 * 3 + 3 * 3 + 2


def test_the_columns_of_all_tables_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    print_verdicts([long(12345), short(7)])
    lines = capsys.readouterr().out.splitlines()
    heads = [line.rstrip() for line in lines if "outcome" in line]
    assert len(heads) == 2
    assert heads[0] == heads[1]


def test_control_characters_are_removed_and_an_empty_list_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    print_verdicts([short(1)])
    assert "\x1b" not in capsys.readouterr().out
    print_verdicts([])
    assert capsys.readouterr().out == "no verdict matches\n"
