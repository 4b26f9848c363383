from __future__ import annotations

import pytest

from libra.core.errors import Invalid
from libra.dispatch.tasks.card import Card, parse_card, parse_card_and_key
from libra.v1.task_pb2 import Category

VALID = "name: mine\ncategory: capability\njudge: {name: exact, options: {field: answer}}\n"

COMPLETE = """
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


def test_a_complete_card_is_parsed() -> None:
    assert parse_card(COMPLETE, file_name="mine.yaml") == Card(
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
    assert parse_card(VALID, file_name="mine.yaml") == Card(
        "mine", Category.CATEGORY_CAPABILITY, "exact", {"field": "answer"}
    )


def test_every_scalar_is_text_and_tags_are_ignored() -> None:
    card = parse_card(
        VALID + "risk: no\nlanguages: no\nmetric: !!python/object:os.system 2026-01-01", file_name="mine.yaml"
    )
    assert (card.risk, card.languages, card.metric) == ("no", ("no",), "2026-01-01")


@pytest.mark.parametrize(
    ("text", "message"),
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
        ("name: a\nname: b", "the key 'name' occurs twice"),
        ("category: capability\njudge: {name: exact}", "the key 'name' is missing"),
        ("name: mine\njudge: {name: exact}", "the key 'category' is missing"),
        ("name: mine\ncategory: capability", "the key 'judge' is missing"),
        ("name: mine\ncategory: capability\njudge: exact", "judge must be keys with values, not 'exact'"),
        ("name: mine\ncategory: capability\njudge: {options: {}}", "the key 'judge.name' is missing"),
        (VALID + "license: MIT", "there is no key 'license': did you mean licence"),
        (VALID + "x1: 2", "there are: name, category"),
        (VALID.replace("options", "option"), "there is no key 'judge.option': did you mean options"),
        (VALID.replace("answer", "[a, b]"), "judge.options.field must be text, not 'a list'"),
        (VALID.replace("capability", "direct-risk"), "there is no category 'direct-risk': did you mean direct_risky"),
        (VALID.replace("capability", "q"), "there are: direct_risky, adversarial"),
        (VALID.replace("mine", "Mine"), "name: 'Mine' is not a valid task name"),
        (VALID.replace("mine", "a@1"), "is not a valid task name"),
        (VALID.replace("mine", "a/b"), "is not a valid task name"),
        (VALID.replace("mine", "m" * 101), "is not a valid task name"),
        (VALID.replace("mine", "adversarial"), "is a category"),
        (VALID + "languages: [English!]", "languages: 'English!' is not a BCP 47 tag"),
        (VALID + "languages: {en: 1}", "languages must be a list"),
        (VALID + "licence: [MIT]", "licence must be text, not 'a list'"),
        (VALID + "source: " + "x" * 10_001, "source has 10,001 characters; the limit is 10,000"),
    ],
)
def test_an_error_names_the_card_and_the_key(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_card(text, file_name="mine.yaml")
    assert caught.value.message.startswith("mine.yaml: ")
    assert message in caught.value.message
    assert caught.value.field == "header.card_yaml"
    assert len(caught.value.message) < 400


@pytest.mark.parametrize("key", ["maping", "mappings", "Mapping"])
def test_a_misspelt_mapping_is_recognised(key: str) -> None:
    text = f"name: t\ncategory: capability\njudge: {{name: exact}}\n{key}: {{prompt: q}}\n"
    with pytest.raises(Invalid, match=f"no key '{key}': did you mean mapping"):
        parse_card_and_key(text, "mapping", file_name="c.yaml")
