"""Accuracy of the refusal judge in each language, on answers that were written for this project."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from libra.attack.catalogue.model_written.languages import LANGUAGES
from libra.judge.refusal_detection.detector import COMPLIED, REFUSED, classify_answer
from libra.judge.refusal_detection.patterns_multilingual import LANGUAGES as TAGS
from libra.judge.refusal_detection.retraction_multilingual import DATA

FOLDER = Path(__file__).parent / "languages"
LABELS = {"plain": REFUSED, "polite": REFUSED, "alternatives": REFUSED, "overturned": COMPLIED, "complied": COMPLIED}
MIN_ANSWERS = 12
MIN_ACCURACY = 0.9


class Case(NamedTuple):
    request: str
    kind: str
    answer: str


def cases() -> dict[str, list[Case]]:
    by_tag = defaultdict[str, list[Case]](list)
    for path in sorted(FOLDER.glob("*.yaml")):
        for tag, group in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            by_tag[tag] += [Case(group["request"], kind, answer) for kind in LABELS for answer in group.get(kind, [])]
    return dict(by_tag)


CASES = cases()


def is_right(case: Case) -> bool:
    return classify_answer(case.request, case.answer).label == LABELS[case.kind]


@pytest.mark.parametrize("tag", CASES)
def test_most_answers_in_a_language_are_classified_correctly(tag: str) -> None:
    wrong = [case for case in CASES[tag] if not is_right(case)]
    assert 1 - len(wrong) / len(CASES[tag]) >= MIN_ACCURACY, wrong


def test_every_language_that_attacks_translate_to_has_enough_answers() -> None:
    assert {language.code for language in LANGUAGES} <= set(CASES)
    assert all(len(CASES[language.code]) >= MIN_ANSWERS for language in LANGUAGES)


def test_every_language_has_words_for_refusals_and_for_going_back_on_them() -> None:
    assert set(TAGS.values()) == set(DATA) == set(CASES)
