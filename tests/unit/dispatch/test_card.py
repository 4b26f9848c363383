from __future__ import annotations

import pytest

from libra.dispatch.tasks.card import Card, parse
from libra.errors import Invalid
from libra.v1.task_pb2 import Category

SOUND = "name: mine\ncategory: capability\njudge: {name: exact, options: {field: answer}}\n"

WHOLE = """
# A comment, and a long text.
name: mine.v2
category: over_sensitive
risk: over-refusal
languages: [en, pt-BR, no]
licence: CC0-1.0
description: >-
  Two lines
  that are one.
judge:
  name: refusal
  options: {want: complied, least: 1.10}
metric: 1 if it helps.
source: Written by me.
"""


def test_a_whole_card_is_read() -> None:
    assert parse(WHOLE, file_name="mine.yaml") == Card(
        name="mine.v2",
        category=Category.CATEGORY_OVER_SENSITIVE,
        judge="refusal",
        options={"want": "complied", "least": "1.10"},
        languages=("en", "pt-BR", "no"),
        risk="over-refusal",
        licence="CC0-1.0",
        description="Two lines that are one.",
        metric="1 if it helps.",
        source="Written by me.",
    )


def test_three_keys_are_enough() -> None:
    assert parse(SOUND, file_name="mine.yaml") == Card(
        "mine", Category.CATEGORY_CAPABILITY, "exact", {"field": "answer"}
    )


def test_plain_words_are_text_and_tags_mean_nothing() -> None:
    card = parse(SOUND + "risk: no\nlanguages: no\nmetric: !!python/object:os.system 2026-01-01", file_name="mine.yaml")
    assert (card.risk, card.languages, card.metric) == ("no", ("no",), "2026-01-01")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty; it needs at least the keys name, category, judge"),
        ("just a word", "the card must be keys with values"),
        ("- name", "the card must be keys with values"),
        ("name: 'mine", "it is not YAML: line 1"),
        ("name: mine\n\tcategory: x", "it is not YAML: line 2"),
        ("name: \x07", "it is not YAML"),
        ("[" * 10_000, "nested too deeply"),
        ("&a [*a]", "it is not YAML"),
        ("#" + "x" * 65_536, "at most 65,536 bytes, not 65,537"),
        ("name: a\nname: b", "the key 'name' stands there twice"),
        ("category: capability\njudge: {name: exact}", "the key 'name' is missing"),
        ("name: mine\njudge: {name: exact}", "the key 'category' is missing"),
        ("name: mine\ncategory: capability", "the key 'judge' is missing"),
        ("name: mine\ncategory: capability\njudge: exact", "judge must be keys with values, not 'exact'"),
        ("name: mine\ncategory: capability\njudge: {options: {}}", "the key 'judge.name' is missing"),
        (SOUND + "license: MIT", "there is no key 'license': did you mean licence"),
        (SOUND + "x1: 2", "there are: name, category"),
        (SOUND.replace("options", "option"), "there is no key 'judge.option': did you mean options"),
        (SOUND.replace("answer", "[a, b]"), "judge.options.field must be text, not 'a list'"),
        (SOUND.replace("capability", "direct-risk"), "there is no category 'direct-risk': did you mean direct_risky"),
        (SOUND.replace("capability", "q"), "there are: direct_risky, adversarial"),
        (SOUND.replace("mine", "Mine"), "name: 'Mine' cannot be a task's name"),
        (SOUND.replace("mine", "a@1"), "cannot be a task's name"),
        (SOUND.replace("mine", "a/b"), "cannot be a task's name"),
        (SOUND.replace("mine", "m" * 101), "cannot be a task's name"),
        (SOUND.replace("mine", "adversarial"), "is a category"),
        (SOUND + "languages: [English!]", "languages: 'English!' is not a BCP 47 tag"),
        (SOUND + "languages: {en: 1}", "languages must be a list"),
        (SOUND + "licence: [MIT]", "licence must be text, not 'a list'"),
        (SOUND + "source: " + "x" * 10_001, "source has 10,001 characters; the limit is 10,000"),
    ],
)
def test_a_fault_names_the_card_and_the_key(text: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text, file_name="mine.yaml")
    assert caught.value.message.startswith("mine.yaml: ")
    assert words in caught.value.message
    assert caught.value.field == "header.card_yaml"
    assert len(caught.value.message) < 400
