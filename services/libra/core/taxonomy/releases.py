"""The pinned release of each taxonomy, from data/releases.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from libra.core.errors import Invalid, unknown

AILUMINATE, OWASP, ATLAS = "ailuminate", "owasp", "atlas"
TAXONOMY_NAMES = (AILUMINATE, OWASP, ATLAS)
"""The names by which users choose a taxonomy, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """One release of a taxonomy."""

    name: str
    """One of TAXONOMY_NAMES."""

    title: str
    """For people: "MLCommons AILuminate"."""

    release: str
    source: str
    """The publication from which the release was read."""

    entries: Mapping[str, str]
    """Names by identifier: {"LLM01": "Prompt Injection"}."""

    @property
    def label(self) -> str:
        """The title with the release: "MITRE ATLAS 5.6.0"."""
        return f"{self.title} {self.release}"

    def find_id(self, text: str) -> str:
        """Return the identifier of an entry, given as such or by its name, in any case; "" if there is none."""
        wanted = text.strip().casefold()
        for entry_id, name in self.entries.items():
            if wanted in {entry_id.casefold(), name.casefold()}:
                return entry_id
        return ""

    def require_id(self, text: str) -> str:
        """Return the identifier like `find_id`; raise Invalid with the nearest identifiers or names."""
        found = self.find_id(text)
        if not found:
            valid = [*self.entries, *self.entries.values()]
            raise Invalid(unknown(f"entry of {self.label}", text, valid))
        return found


@cache
def load_taxonomies() -> Mapping[str, Taxonomy]:
    """Return every taxonomy by its name, in the order of TAXONOMY_NAMES. The file is read once."""
    data = load_data("releases.yaml")
    return {name: Taxonomy(name, **data[name]) for name in TAXONOMY_NAMES}


def load_data(file_name: str) -> Any:
    """Return the content of a YAML file of this package. The loader in C takes a tenth of the time of the other."""
    text = (files("libra.core.taxonomy") / "data" / file_name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.CSafeLoader)
