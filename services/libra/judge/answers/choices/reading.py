"""Read which option of a multiple-choice question an answer names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from libra.judge.answers.choices.compounds import compound_of, compound_options, none_of
from libra.judge.answers.choices.mentions import with_mentions
from libra.judge.answers.choices.options import OPTION_LINE, Options
from libra.judge.answers.choices.ticks import mark_ticked_options
from libra.judge.answers.cleaning import clean_answer
from libra.judge.answers.echo import content_words
from libra.judge.answers.next_question import readings_of
from libra.judge.answers.statements import LEADING, MENTION, NEUTRAL, NOT, STATED, option_of, read_statements
from libra.judge.answers.wording import fold

DEFAULT_OPTIONS: Options = tuple((label, "") for label in "ABCDEFGHIJ")
"""The labels that are possible if the prompt lists no options."""

FIRST_CLAUSE = re.compile(rf"\W*(?:an? |the )?(?P<option>{MENTION}) (?P<said>[^.,;!?\n\ue000-\uf8ff]+)(?=[.,;!?\n]|\Z)")
CONTRAST = re.compile(r"[\s,;.]*(?:but|yet|however|though|although|while|whereas)\b")
TABLE_ROW = re.compile(r"^[ \t]{0,4}\|([^\n]{1,400})\|[ \t]{0,4}$", re.MULTILINE)
HOW = {STATED: "it states so", LEADING: "it says nothing else"}


@dataclass(frozen=True, slots=True)
class NamedOptions:
    """The options that an answer names."""

    labels: frozenset[str]
    """One label if the answer is clear; none or several if not."""

    how: str
    """The rule that found the labels, in words for the verdict."""


def named_options(text: str, listed: Mapping[str, str], question: str = "") -> NamedOptions:
    """Return which of the listed options an answer names; if none are listed, any letter up to J may be an option.

    If it says something of several, the one counts of which it says what the question asks.
    """
    options = tuple(listed.items()) or DEFAULT_OPTIONS
    named = NamedOptions(frozenset(), "")
    for part in readings_of(clean_answer(mark_ticked_options(text))):
        named = _named_in(part, options, question if listed else "")
        if named.labels:
            return named
    return named


def _named_in(text: str, options: Options, question: str) -> NamedOptions:
    is_listed = options is not DEFAULT_OPTIONS
    compounds = compound_options(options) if is_listed else ()
    text = TABLE_ROW.sub(lambda row: row[1].replace("|", ":"), text) if "|" in text else text
    mentioned = with_mentions(text, options, compounds)
    statements = read_statements(mentioned)
    found, strength = statements.conclusion()
    denied = frozenset(statements.denied)
    if question and strength == NEUTRAL and (subject := _subject(mentioned, question) - denied):
        found = subject
    if found:
        return _named(compound_of(found, mentioned, compounds), options, HOW.get(strength, "it mentions no other"))
    remaining = frozenset(range(len(options))) - denied
    remaining = none_of(denied, compounds) or remaining
    if is_listed and len(remaining) == 1:
        return _named(remaining, options, "it excludes all others")
    return _named(frozenset(), options, "")


def _subject(mentioned: str, question: str) -> frozenset[int]:
    """Return the option that is the subject of the first clause, if the clause repeats words of the question."""
    clause = FIRST_CLAUSE.match(mentioned)
    if clause is None or NOT.search(clause["said"]) or CONTRAST.match(mentioned, clause.end()):
        return frozenset()
    asked = content_words(fold(OPTION_LINE.sub("", question)))
    return frozenset({option_of(clause["option"])}) if content_words(clause["said"]) & asked else frozenset()


def _named(places: frozenset[int], options: Options, how: str) -> NamedOptions:
    return NamedOptions(frozenset(options[place][0] for place in places), how)
