from __future__ import annotations

from collections.abc import Sequence

import pytest

from libra.core.errors import Invalid
from libra.core.gold_labels import MAX_LABELS
from libra.dispatch.scheduling.publisher import batch_header
from libra.dispatch.tasks import card
from libra.dispatch.tasks.gold_labels import GoldLabels
from libra.dispatch.tasks.task_version import describe, version
from libra.store.runs import RunSection
from libra.v1.run_pb2 import Run
from libra.v1.task_pb2 import Category, Sample

TEXT = "name: mine\ncategory: direct_risky\njudge: {name: yes_no, options: {field: truth}}\n"


def samples(labels: Sequence[str]) -> list[Sample]:
    return [Sample(ordinal=n, id=f"s{n}", fields={"truth": label}) for n, label in enumerate(labels)]


def test_the_samples_of_a_balanced_task_all_need_a_label() -> None:
    labels = GoldLabels("truth")
    assert list(labels.check(samples(["yes", "no", "yes"]))) == samples(["yes", "no", "yes"])
    assert labels.warnings("mine") == []
    with pytest.raises(Invalid, match="has no field 'truth', over which the card balances the score"):
        list(GoldLabels("truth").check(samples(["yes", ""])))


def test_a_field_of_answers_is_not_taken_for_a_gold_label() -> None:
    with pytest.raises(Invalid, match=f"truth has more than {MAX_LABELS} values"):
        list(GoldLabels("truth").check(samples([str(n) for n in range(MAX_LABELS + 1)])))
    with pytest.raises(Invalid, match="has 101 characters"):
        list(GoldLabels("truth").check(samples(["x" * 101])))


def test_a_task_of_one_label_is_warned_of() -> None:
    labels = GoldLabels("truth")
    list(labels.check(samples(["yes", "yes"])))
    assert labels.warnings("mine") == ["every sample of mine has the same truth: its balanced score is the plain mean"]


def test_a_task_that_is_not_balanced_needs_no_labels() -> None:
    labels = GoldLabels("")
    assert len(list(labels.check(samples(["", "yes"])))) == 2
    assert labels.warnings("mine") == []


def test_a_card_names_the_gold_label_and_a_caveat() -> None:
    parsed = card.parse_card(f"{TEXT}balanced_by: truth\ncaveat: It is small.", file_name="mine.yaml")
    task = describe(parsed)
    assert (task.balanced_by, task.caveat) == ("truth", "It is small.")
    plain = card.parse_card(TEXT, file_name="mine.yaml")
    assert version(parsed, samples(["yes"])) != version(plain, samples(["yes"]))


def test_the_header_of_a_batch_names_the_gold_label() -> None:
    section = RunSection("mine@1", "none", Category.CATEGORY_DIRECT_RISKY, 3, balanced_by="truth")
    assert batch_header(Run(), section, "m", sending=0).balanced_by == "truth"
