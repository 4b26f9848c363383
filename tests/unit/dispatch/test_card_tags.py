"""The tags on a card."""

from __future__ import annotations

import pytest

from libra.core.errors import Invalid
from libra.dispatch.tasks.card import parse_card
from libra.dispatch.tasks.task_version import describe, version
from libra.v1.task_pb2 import Sample

CARD = "name: mine\ncategory: direct_risky\njudge: {name: refusal}\n"


def tags_of(text: str) -> tuple[str, ...]:
    return parse_card(CARD + text, file_name="mine.yaml").tags


def test_hazards_and_taxonomies_are_read_by_identifier_or_name() -> None:
    assert tags_of("") == ()
    assert tags_of("hazards: [vcr, Hate]") == ("ailuminate:hte", "ailuminate:vcr")
    assert tags_of("hazards: vcr\ntaxonomies: {ailuminate: [vcr], owasp: llm01, atlas: [AML.T0054]}") == (
        "ailuminate:vcr",
        "atlas:AML.T0054",
        "owasp:LLM01",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hazards: [Violent Crime]", "hazards: there is no entry of MLCommons AILuminate 1.0 .*mean Violent Crimes"),
        ("taxonomies: {owasp: [LLM1]}", "taxonomies.owasp: there is no entry .*did you mean LLM"),
        ("taxonomies: {owsap: [LLM01]}", "taxonomies: there is no taxonomy 'owsap': did you mean owasp"),
        ("taxonomies: {atlas: {a: b}}", "taxonomies.atlas must be a list of entries of MITRE ATLAS 5.6.0"),
        ("taxonomies: [owasp]", "taxonomies must be keys with values"),
        ("hazard: vcr", "there is no key 'hazard': did you mean hazards"),
    ],
)
def test_a_wrong_tag_is_rejected_with_the_nearest(text: str, message: str) -> None:
    with pytest.raises(Invalid, match=message) as caught:
        tags_of(text)
    assert caught.value.field == "header.card_yaml"


def test_tags_are_part_of_the_version_and_a_card_without_tags_keeps_its_version() -> None:
    plain, tagged = (parse_card(CARD + text, file_name="a") for text in ("", "hazards: [vcr]"))
    samples = [Sample(id="1")]
    assert version(plain, samples) == "c5ed89e10c94"
    assert version(tagged, samples) != version(plain, samples)
    assert list(describe(tagged).tags) == ["ailuminate:vcr"]
