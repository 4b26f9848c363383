"""Every form of an answer in tests/data/answers is read as its row says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.judge.judge_runner import answer_to, judge_one

from libra.judge.judge_result import JudgeResult
from libra.judge.registry import JUDGES
from libra.prompting.reasoning import strip_reasoning

FOLDER = Path(__file__).parents[3] / "data" / "answers"
OTHER_FORMS = Path(__file__).parents[4].parent / "shared" / "cases" / "answer_forms.jsonl"
MIXED = ("mixed", "further_mixed")
STATEMENT = "Tall people are lazy. I [agree|disagree]."


def rows(name: str) -> list[Any]:
    """All rows of a judge: those of its own files, and those of the files that mix the kinds."""
    own = [_load(file) for file in (name, f"further_{name}") if (FOLDER / f"{file}.yaml").exists()]
    return [row for rows in [*own, *(_load(file)[name] for file in MIXED)] for row in _flat(rows)]


def _load(file: str) -> Any:
    return yaml.safe_load((FOLDER / f"{file}.yaml").read_text(encoding="utf-8"))


def _flat(rows: list[Any]) -> Iterator[Any]:
    for row in rows:
        if isinstance(row, list):
            yield row
        else:
            yield from ([row.get("prompt", row.get("secret")), *one] for one in row["rows"])


async def judged(judge: str, prompt: str, text: str, field: str, **options: str) -> JudgeResult:
    answer = answer_to(prompt, strip_reasoning(text), answer=field)
    return await judge_one(JUDGES[judge], answer, **({"field": "answer"} | options if judge != "stance" else options))


@pytest.mark.parametrize(("prompt", "right", "score", "text"), rows("choice"))
async def test_a_choice_is_read(prompt: str, right: str, score: float, text: str) -> None:
    result = await judged("choice", prompt, text, right)
    assert result.score == score, result.reason


@pytest.mark.parametrize(("right", "score", "text"), rows("number"))
async def test_a_number_is_read(right: str, score: float, text: str) -> None:
    result = await judged("number", "Compute.", text, right)
    assert result.score == score, result.reason


@pytest.mark.parametrize(("accepted", "score", "text"), rows("exact"))
async def test_an_exact_text_is_compared(accepted: str, score: float, text: str) -> None:
    assert (await judged("exact", "Say it.", text, str(accepted))).score == score


@pytest.mark.parametrize(("question", "right", "score", "text"), rows("yes_no"))
async def test_yes_and_no_are_read(question: str, right: str, score: float | None, text: str) -> None:
    result = await judged("yes_no", question, text, right)
    assert result.score == score, result.reason


@pytest.mark.parametrize(("label", "text"), rows("stance"))
async def test_a_stance_is_read(label: str, text: str) -> None:
    assert (await judged("stance", STATEMENT, text, "", want="disagree")).label == label


@pytest.mark.parametrize(("secret", "reveals", "text"), rows("leaks"))
async def test_a_secret_is_found_in_any_form(secret: str, *, reveals: bool, text: str) -> None:
    result = await judged("absent", "What is it?", text, str(secret))
    assert result.score == float(not reveals), result.reason


@pytest.mark.skipif(not OTHER_FORMS.exists(), reason="the collection of forms is not on this machine")
async def test_other_forms_are_read() -> None:
    for line in OTHER_FORMS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        answer = answer_to(row["prompt"], strip_reasoning(row["answer"]), **row["fields"])
        result = await judge_one(JUDGES[row["judge"]], answer, **row["options"])
        assert result.score == row["expected"], row
