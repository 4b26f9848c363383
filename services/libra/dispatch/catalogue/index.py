"""The entries of the catalogue, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from libra.dispatch.catalogue import entry
from libra.dispatch.catalogue.entry import Entry
from libra.errors import NotFound

PACKAGE = "libra.dispatch.catalogue"
FOLDER = "cards"


@cache
def entries() -> Mapping[str, Entry]:
    """Return every entry by name, in order of name; the cards are read once."""
    folder = files(PACKAGE) / FOLDER
    cards = sorted(file.name for file in folder.iterdir() if file.name.endswith(".yaml"))
    read = [entry.parse((folder / name).read_text(encoding="utf-8"), file_name=name) for name in cards]
    return {one.card.name: one for one in read}


def named(name: str) -> Entry:
    """Return the entry of this name; raise NotFound, with the nearest names, if there is none."""
    found = entries().get(name)
    if found is None:
        raise NotFound.named("task of the catalogue", name, list(entries()), field="header.catalogue")
    return found
