"""The pages that the head of every page links to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the navigation."""

    path: str
    name: str
    others: tuple[str, ...] = ()
    """Paths of further pages that belong to it."""

    def is_current(self, path: str) -> bool:
        """Return whether the page at `path` belongs to this entry."""
        within = (f"{each}/" for each in (self.path, *self.others) if each != "/")
        return path in (self.path, *self.others) or path.startswith(tuple(within))


ENTRIES = (
    Entry("/", "Board"),
    Entry("/runs", "Runs", others=("/verdicts",)),
    Entry("/compare", "Compare"),
    Entry("/judges", "Judges"),
    Entry("/arena", "Arena"),
    Entry("/ratings", "Ratings"),
    Entry("/rounds", "Rounds"),
    Entry("/learn", "Learn"),
)
