"""The cards of the catalogue, by name of task."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from libra.core.errors import NotFound
from libra.dispatch.catalogue.catalogue_card import CatalogueCard, parse_catalogue_card
from libra.dispatch.tasks.card import find_cards

PACKAGE = "libra.dispatch.catalogue"
FOLDER = "cards"


@cache
def load_cards() -> Mapping[str, CatalogueCard]:
    """Return every card by the name of its task, in order of name. The files are read once."""
    parsed = [
        parse_catalogue_card((folder / name).read_text(encoding="utf-8"), file_name=name)
        for name, folder in find_cards(files(PACKAGE) / FOLDER).items()
    ]
    return {source.card.name: source for source in parsed}


def find_card(name: str) -> CatalogueCard:
    """Return the card of the task of this name; raise NotFound, with the nearest names, if there is none."""
    found = load_cards().get(name)
    if found is None:
        raise NotFound.named("task of the catalogue", name, list(load_cards()), field="header.catalogue")
    return found
