"""The phrases in the data files: every pattern has its constant, and no line hides a space at its ends."""

from __future__ import annotations

from types import ModuleType

import pytest

from libra.judge.refusal_detection import patterns_direct, patterns_indirect
from libra.judge.refusal_detection.patterns_multilingual import ILLEGAL, REFUSALS
from libra.judge.refusal_detection.regex import FRAGMENT, HintedPattern
from libra.judge.text.data_files import load_data

PACKAGE = "libra.judge.refusal_detection"
FILES = {"patterns_direct.yaml": patterns_direct, "patterns_indirect.yaml": patterns_indirect}


@pytest.mark.parametrize(("name", "module"), FILES.items())
def test_every_pattern_of_a_file_is_a_constant(name: str, module: ModuleType) -> None:
    assert list(load_data(PACKAGE, name)["patterns"]) == list(module.PATTERNS)
    assert all(getattr(module, pattern) is found for pattern, found in module.PATTERNS.items())


@pytest.mark.parametrize("name", FILES)
def test_the_lines_of_a_pattern_neither_begin_nor_end_with_a_space(name: str) -> None:
    data = load_data(PACKAGE, name)
    entries = [*data["fragments"].values(), *data["patterns"].values()]
    texts = [entry if isinstance(entry, str) else entry["pattern"] for entry in entries]
    assert all(line == line.strip() for text in texts for line in text.splitlines())


@pytest.mark.parametrize("module", FILES.values())
def test_every_fragment_is_replaced(module: ModuleType) -> None:
    for found in module.PATTERNS.values():
        pattern = found.pattern if isinstance(found, HintedPattern) else found
        assert not FRAGMENT.search(pattern.compiled.pattern)


def test_the_hints_of_a_pattern_are_in_its_own_text() -> None:
    hinted = [one for module in FILES.values() for one in module.PATTERNS.values() if isinstance(one, HintedPattern)]
    assert hinted
    assert all(any(hint in one.pattern.compiled.pattern for hint in one.hints) for one in hinted)


def test_phrases_of_other_languages_are_normalized_and_not_empty() -> None:
    assert len(REFUSALS) > 400
    assert all(phrase and phrase == phrase.strip().casefold() for phrase in (*REFUSALS, *ILLEGAL))
