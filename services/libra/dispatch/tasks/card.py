"""Parse a task's card: a few lines of YAML that describe a file of samples."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from libra.core.category_names import CATEGORIES
from libra.core.errors import Invalid, nearest
from libra.dispatch.tasks.card_tags import TAG_KEYS, parse_tags
from libra.v1.task_pb2 import Category

CARD_FIELD = "header.card_yaml"
MAX_BYTES = 64 * 1024
MAX_TEXT_CHARACTERS = 10_000
MAX_SHOWN_CHARACTERS = 60
MAX_SUGGESTIONS = 20

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
"""The form of a BCP 47 tag."""

REQUIRED = ("name", "category", "judge")
TEXTS = ("risk", "licence", "description", "metric", "source", "balanced_by", "caveat")
KEYS = (*REQUIRED, *TEXTS, "languages", *TAG_KEYS)
JUDGE_KEYS = ("name", "options")


@dataclass(frozen=True, slots=True)
class Card:
    """The description of a task, without its samples."""

    name: str
    category: Category.ValueType
    judge: str
    """The judge's name; a run checks whether there is such a judge."""

    options: Mapping[str, str]
    """The judge's options."""

    languages: tuple[str, ...] = ()
    risk: str = ""
    licence: str = ""
    description: str = ""
    metric: str = ""
    source: str = ""
    tags: tuple[str, ...] = ()
    """Entries of taxonomies, as "taxonomy:id"; without any, Libra's own mapping applies."""

    balanced_by: str = ""
    """The field of the samples that holds the gold label, over which the score is balanced; "" for the plain mean."""

    caveat: str = ""
    """A sentence that a reader of the scores must know; usually empty."""


def find_cards(folder: Traversable) -> dict[str, Traversable]:
    """Return the file name of every card in the folder and below, in order, with its folder."""
    return dict(sorted(_cards_below(folder), key=lambda found: found[0]))


def _cards_below(folder: Traversable) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _cards_below(entry)
        elif entry.name.endswith(".yaml"):
            yield entry.name, folder


def parse_card(text: str, *, file_name: str) -> Card:
    """Return the card; raise Invalid naming the file and the key at fault.

    `file_name` is the name of the card in errors.
    """
    return parse_card_and_key(text, "", file_name=file_name)[0]


def parse_card_and_key(text: str, key: str, *, file_name: str) -> tuple[Card, object]:
    """Return the card, and the value of one more key that it may have, or None; raise Invalid like `parse_card`."""
    try:
        values = require_mapping(load_yaml(text), "the card")
        check_keys(values, (*KEYS, key) if key else KEYS, prefix="")
        return from_mapping({name: value for name, value in values.items() if name != key}), values.get(key)
    except Invalid as error:
        raise Invalid(f"{file_name}: {error.message}", field=CARD_FIELD) from None


def from_mapping(values: Mapping[str, Any]) -> Card:
    """Return the card with these keys and values; raise Invalid naming the key at fault."""
    check_keys(values, KEYS, prefix="")
    for key in REQUIRED:
        if key not in values:
            raise Invalid(f"the key {key!r} is missing")
    judge = require_mapping(values["judge"], "judge")
    check_keys(judge, JUDGE_KEYS, prefix="judge.")
    if not require_text(judge.get("name", ""), "judge.name"):
        raise Invalid("the key 'judge.name' is missing")
    options = require_mapping(judge.get("options") or {}, "judge.options")
    return Card(
        name=parse_name(values["name"]),
        category=parse_category(values["category"]),
        judge=judge["name"],
        options={key: require_text(value, f"judge.options.{key}") for key, value in options.items()},
        languages=parse_languages(values.get("languages") or []),
        tags=parse_tags(values),
        **{key: require_text(values.get(key, ""), key) for key in TEXTS},
    )


class TextLoader(yaml.BaseLoader):
    """Loads every scalar as text ("no" is Norwegian, and 1.10 is not 1.1), ignores tags, and rejects duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the base class's
        """Return the mapping; raise Invalid for a duplicate key, of which PyYAML would keep the last."""
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if isinstance(key, str) and keys.count(key) > 1:
                raise Invalid(f"the key {abbreviate(key)!r} occurs twice")
        return super().construct_mapping(node, deep)


def load_yaml(text: str) -> object:
    """Return the content of a YAML text; raise Invalid with the line at fault."""
    if len(text.encode()) > MAX_BYTES:
        raise Invalid(f"a card has at most {MAX_BYTES:,} bytes, not {len(text.encode()):,}")
    if not text.strip():
        raise Invalid(f"it is empty; it needs at least the keys {', '.join(REQUIRED)}")
    try:
        return yaml.load(text, TextLoader)  # noqa: S506 - it builds only texts, lists and dicts
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise Invalid(f"it is not YAML: {line}{error.problem}") from None
    except yaml.YAMLError as error:  # a character that YAML does not allow
        raise Invalid(f"it is not YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise Invalid("it is not a card: it is nested too deeply") from None


def check_keys(values: Mapping[str, object], valid: Iterable[str], *, prefix: str) -> None:
    """Raise Invalid for a key that is not valid; errors show it with the prefix."""
    for key in values:
        if key not in valid:
            raise Invalid(f"there is no key {prefix + abbreviate(key)!r}: {suggest(abbreviate(key), valid)}")


def require_mapping(value: object, key: str) -> dict[str, Any]:
    """Return the value if it is a mapping with text keys; raise Invalid otherwise."""
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise Invalid(f"{key} must be keys with values, not {abbreviate(value)!r}")
    return value


def require_text(value: object, key: str) -> str:
    """Return the value, stripped, if it is text within the limit; raise Invalid otherwise."""
    if not isinstance(value, str):
        raise Invalid(f"{key} must be text, not {abbreviate(value)!r}")
    if len(value) > MAX_TEXT_CHARACTERS:
        raise Invalid(f"{key} has {len(value):,} characters; the limit is {MAX_TEXT_CHARACTERS:,}")
    return value.strip()


def parse_name(value: object) -> str:
    """Return the value if it is a valid name of a task; raise Invalid otherwise."""
    name = require_text(value, "name")
    if name in CATEGORIES:
        raise Invalid(f"name: {name!r} is a category, which selects all of its tasks in a run; choose another name")
    if not NAME.fullmatch(name):
        raise Invalid(
            f"name: {abbreviate(name)!r} is not a valid task name: use 1 to 100 lower-case letters, digits, "
            f'"_", "-" and ".", and begin with a letter or a digit'
        )
    return name


def parse_category(value: object) -> Category.ValueType:
    """Return the category of this name; raise Invalid if there is none."""
    name = require_text(value, "category")
    if name not in CATEGORIES:
        raise Invalid(f"category: there is no category {abbreviate(name)!r}: {suggest(name, CATEGORIES)}")
    return CATEGORIES[name]


def parse_languages(value: object) -> tuple[str, ...]:
    """Return the language tags; a single tag may stand without a list."""
    tags = [value] if isinstance(value, str) else value
    if not isinstance(tags, list):
        raise Invalid(f"languages must be a list of BCP 47 tags such as en, not {abbreviate(value)!r}")
    for tag in tags:
        if not LANGUAGE.fullmatch(require_text(tag, "languages")):
            raise Invalid(f"languages: {abbreviate(tag)!r} is not a BCP 47 tag such as en or pt-BR")
    return tuple(tag.strip() for tag in tags)


def suggest(word: str, valid: Iterable[str]) -> str:
    """Return a hint with the nearest valid words or, if none is near, with the first 20 of them."""
    near = nearest(word, valid)
    return (
        f"did you mean {' or '.join(near)}?"
        if near
        else f"there are: {', '.join(list(valid)[:MAX_SUGGESTIONS]) or 'none'}"
    )


def abbreviate(value: object) -> str:
    """Return the beginning of a value for an error; of a container, which may contain itself, only the type."""
    if isinstance(value, (dict, list, set)):
        return {dict: "keys with values", list: "a list", set: "a set"}[type(value)]
    text = str(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "…"
