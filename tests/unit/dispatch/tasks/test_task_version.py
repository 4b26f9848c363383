from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from libra.dispatch.tasks import card, sample_records
from libra.dispatch.tasks.task_version import set_owner, to_task, version
from libra.v1.task_pb2 import Category, Task

CARD = card.parse_card(
    "name: mine\ncategory: capability\njudge: {name: exact, options: {field: answer}}\nlanguages: [en, de]",
    file_name="mine.yaml",
)
RECORD: dict[str, Any] = {"id": "a", "messages": [{"role": "user", "content": "Häh?"}], "answer": "b", "topic": "c"}


def samples(*changes: dict[str, Any]) -> Any:
    rows = [json.dumps(RECORD | {"id": str(n)} | change).encode() for n, change in enumerate(changes or ({}, {}))]
    return sample_records.parse_samples([b"\n".join(rows)], file_name="mine.jsonl")


def test_the_task_has_the_content_of_the_card() -> None:
    task = to_task(CARD, samples())
    assert (task.name, task.category, task.sample_count) == ("mine", Category.CATEGORY_CAPABILITY, 2)
    assert (task.judge.name, dict(task.judge.options)) == ("exact", {"field": "answer"})
    assert list(task.languages) == ["en", "de"]
    assert not task.HasField("create_time")


def test_the_version_never_changes() -> None:
    # Runs and verdicts refer to it: a change of this value orphans them.
    assert version(CARD, samples()) == "a6c7c86a1c94"


def test_the_form_of_the_files_does_not_matter() -> None:
    again = card.parse_card(
        "# The same\njudge:\n  options:\n    'field': \"answer\"\n  name: exact\nlanguages:\n- en\n- de\n"
        "category: capability\nname: mine\n",
        file_name="other.yaml",
    )
    rows = [dict(reversed(list((RECORD | {"id": n}).items()))) for n in range(2)]
    data = "\r\n".join(json.dumps(row, ensure_ascii=False, separators=(" , ", " : ")) for row in rows).encode()
    assert version(again, sample_records.parse_samples([data + b"\n"], file_name="other.jsonl")) == version(
        CARD, samples()
    )


@pytest.mark.parametrize(
    "changed",
    [
        replace(CARD, name="yours"),
        replace(CARD, category=Category.CATEGORY_ADVERSARIAL),
        replace(CARD, judge="contains"),
        replace(CARD, options={"field": "topic"}),
        replace(CARD, languages=("en",)),
        replace(CARD, description="New."),
    ],
)
def test_another_card_gives_another_version(changed: card.Card) -> None:
    assert version(changed, samples()) != version(CARD, samples())


@pytest.mark.parametrize(
    "changes",
    [
        ({},),
        ({}, {}, {}),
        ({}, {"answer": "B"}),
        ({}, {"id": "z"}),
        ({}, {"more": ""}),
        ({}, {"messages": [{"role": "user", "content": "Häh? "}]}),
        ({}, {"messages": [{"role": "system", "content": "Hm."}, {"role": "user", "content": "Häh?"}]}),
        ({"id": "1"}, {"id": "0"}),
    ],
)
def test_other_samples_give_another_version(changes: tuple[dict[str, Any], ...]) -> None:
    assert version(CARD, samples(*changes)) != version(CARD, samples())


def test_a_task_of_a_team_has_a_version_of_its_own() -> None:
    versions = set()
    for team in ("", "red", "blue"):
        task = Task(name="t", version="0123456789ab")
        set_owner(task, team)
        assert task.team == team
        versions.add(task.version)
    assert len(versions) == 3
    assert "0123456789ab" in versions
