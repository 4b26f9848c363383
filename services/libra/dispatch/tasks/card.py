"""Read a task's card: a few lines of YAML that say what a file of samples is for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from libra.contracts.categories import CATEGORIES
from libra.errors import Invalid, nearest
from libra.v1.task_pb2 import Category

FIELD = "header.card_yaml"
MAX_BYTES = 64 * 1024
MAX_TEXT_CHARACTERS = 10_000
MAX_SHOWN_CHARACTERS = 60

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
"""The form of a BCP 47 tag."""

REQUIRED = ("name", "category", "judge")
TEXTS = ("risk", "licence", "description", "metric", "source")
KEYS = (*REQUIRED, *TEXTS, "languages")
JUDGE_KEYS = ("name", "options")


@dataclass(frozen=True, slots=True)
class Card:
    """What a task is, apart from its samples."""

    name: str
    category: Category.ValueType
    judge: str
    """The judge's name; whether there is one of that name is checked when a run wants it."""

    options: Mapping[str, str]
    """What the judge is told."""

    languages: tuple[str, ...] = ()
    risk: str = ""
    licence: str = ""
    description: str = ""
    metric: str = ""
    source: str = ""


def parse(text: str, *, file_name: str) -> Card:
    """Return the card; raise Invalid naming the file, the key at fault and, for a word, the valid ones that come near.

    `file_name` is what errors call the card.
    """
    try:
        return read(text)
    except Invalid as error:
        raise Invalid(f"{file_name}: {error.message}", field=FIELD) from None


def read(text: str) -> Card:
    """Return the card; raise Invalid naming the key at fault."""
    return of_mapping(a_mapping(loaded(text), "the card"))


def of_mapping(given: Mapping[str, Any]) -> Card:
    """Return the card that keys and values make; raise Invalid naming the key at fault."""
    check_keys(given, KEYS, where="")
    for key in REQUIRED:
        if key not in given:
            raise Invalid(f"the key {key!r} is missing")
    judge = a_mapping(given["judge"], "judge")
    check_keys(judge, JUDGE_KEYS, where="judge.")
    if not a_text(judge.get("name", ""), "judge.name"):
        raise Invalid("the key 'judge.name' is missing")
    options = a_mapping(judge.get("options") or {}, "judge.options")
    return Card(
        name=a_name(given["name"]),
        category=a_category(given["category"]),
        judge=judge["name"],
        options={key: a_text(value, f"judge.options.{key}") for key, value in options.items()},
        languages=languages(given.get("languages") or []),
        **{key: a_text(given.get(key, ""), key) for key in TEXTS},
    )


class Loader(yaml.BaseLoader):
    """A loader to which everything plain is text ("no" is Norwegian, and 1.10 is not 1.1) and a tag means nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the base class's
        """Refuse a key that stands twice; YAML forbids it, and PyYAML would keep the last."""
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if isinstance(key, str) and keys.count(key) > 1:
                raise Invalid(f"the key {shown(key)!r} stands there twice")
        return super().construct_mapping(node, deep)


def loaded(text: str) -> object:
    """Return what the YAML says; raise Invalid with the line at fault."""
    if len(text.encode()) > MAX_BYTES:
        raise Invalid(f"a card has at most {MAX_BYTES:,} bytes, not {len(text.encode()):,}")
    if not text.strip():
        raise Invalid(f"it is empty; it needs at least the keys {', '.join(REQUIRED)}")
    try:
        return yaml.load(text, Loader)  # noqa: S506 - it makes nothing but texts, lists and dicts
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise Invalid(f"it is not YAML: {line}{error.problem}") from None
    except yaml.YAMLError as error:  # a character that YAML does not have
        raise Invalid(f"it is not YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise Invalid("it is not a card: it is nested too deeply") from None


def check_keys(given: Mapping[str, object], valid: Iterable[str], *, where: str) -> None:
    """Refuse a key that no card has."""
    for key in given:
        if key not in valid:
            raise Invalid(f"there is no key {where + shown(key)!r}: {hint(shown(key), valid)}")


def a_mapping(value: object, key: str) -> dict[str, Any]:
    """Return the value if it is keys with values, each key a text."""
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise Invalid(f"{key} must be keys with values, not {shown(value)!r}")
    return value


def a_text(value: object, key: str) -> str:
    """Return the value if it is text of a sound length."""
    if not isinstance(value, str):
        raise Invalid(f"{key} must be text, not {shown(value)!r}")
    if len(value) > MAX_TEXT_CHARACTERS:
        raise Invalid(f"{key} has {len(value):,} characters; the limit is {MAX_TEXT_CHARACTERS:,}")
    return value.strip()


def a_name(value: object) -> str:
    """Return the value if a task may be called so."""
    name = a_text(value, "name")
    if name in CATEGORIES:
        raise Invalid(f"name: {name!r} is a category, and a run selects all of its tasks by that word")
    if not NAME.fullmatch(name):
        raise Invalid(
            f"name: {shown(name)!r} cannot be a task's name: 1 to 100 lower-case letters, digits, "
            f'"_", "-" and ".", not beginning with a mark'
        )
    return name


def a_category(value: object) -> Category.ValueType:
    """Return the category that the value names."""
    word = a_text(value, "category")
    if word not in CATEGORIES:
        raise Invalid(f"category: there is no category {shown(word)!r}: {hint(word, CATEGORIES)}")
    return CATEGORIES[word]


def languages(value: object) -> tuple[str, ...]:
    """Return the tags; a single one need not stand in a list."""
    tags = [value] if isinstance(value, str) else value
    if not isinstance(tags, list):
        raise Invalid(f"languages must be a list of BCP 47 tags such as en, not {shown(value)!r}")
    for tag in tags:
        if not LANGUAGE.fullmatch(a_text(tag, "languages")):
            raise Invalid(f"languages: {shown(tag)!r} is not a BCP 47 tag such as en or pt-BR")
    return tuple(tag.strip() for tag in tags)


def hint(word: str, valid: Iterable[str]) -> str:
    """Return the valid words that come near or, failing these, all of them."""
    near = nearest(word, valid)
    return f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(valid)}"


def shown(value: object) -> str:
    """Return the beginning of the value as an error shows it; a container is only named, since it may be without end."""
    if isinstance(value, (dict, list, set)):
        return {dict: "keys with values", list: "a list", set: "a set"}[type(value)]
    text = str(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "…"
