"""Choose the cells that a board stands on, and say what is left out.

For each (model, task, attack) the newest run counts. Before that, what must not be compared is told apart: a board takes one
version and one judge for each task, the newest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from libra.store.cells import Cell

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")
Judge = tuple[str, str, str]

LONG_AGO = datetime.min.replace(tzinfo=UTC)
"""The age of a version whose card is not there: any other is newer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell that may count."""

    cell: Cell
    trials: int
    """Trials it is to hold when its run is finished."""

    @property
    def name(self) -> str:
        """The task's name, without its version."""
        return self.cell.task.partition("@")[0]

    @property
    def version(self) -> str:
        """The task's version."""
        return self.cell.task.partition("@")[2]


@dataclass(frozen=True, slots=True)
class Selection:
    """What counts, and a sentence for each thing that does not though it might be looked for."""

    entries: Sequence[Entry]
    notes: Sequence[str]


def choose(entries: Iterable[Entry], ages: Mapping[str, datetime]) -> Selection:
    """Return one entry for each (model, task, attack), of one version and one judge for each task.

    `ages` says when each "name@version" was imported, where a task has several among the entries.
    """
    kept: list[Entry] = []
    notes: list[str] = []
    for name, group in sorted(_grouped(entries, lambda entry: entry.name).items()):
        of_version, older = _newest_version(name, group, ages)
        of_judge, others = _newest_judge(name, of_version)
        kept += _newest_run(of_judge)
        notes += older + others
    return Selection(kept, notes)


def ambiguous(entries: Iterable[Entry]) -> list[str]:
    """Return every "name@version" of the tasks that have more than one version among the entries."""
    versions = _grouped({entry.cell.task for entry in entries}, lambda task: task.partition("@")[0])
    return [task for group in versions.values() if len(group) > 1 for task in sorted(group)]


def _newest_version(name: str, entries: Sequence[Entry], ages: Mapping[str, datetime]) -> tuple[list[Entry], list[str]]:
    """Return the entries of the version imported last, and a note on each other version."""
    versions = _grouped(entries, lambda entry: entry.version)
    newest = max(
        versions,
        key=lambda version: (ages.get(f"{name}@{version}", LONG_AGO), _last_run(versions[version]), version),
    )
    older = [
        f"{name}@{version} is left out, since {name}@{newest} is newer: {_told(lost)}"
        for version, group in sorted(versions.items())
        if version != newest and (lost := _lost(group, versions[newest]))
    ]
    return versions[newest], older


def _newest_judge(name: str, entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """Return the entries that the newest run's judge judged, with those nobody judged, and a note on each other judge."""
    judged = _grouped(entries, lambda entry: entry.cell.judges)
    single = {judges[0]: group for judges, group in judged.items() if len(judges) == 1}
    # Within one run the judge of most trials, then the last in order: any rule will do that all replicas share.
    newest = max(
        single,
        key=lambda judge: (_last_run(single[judge]), sum(entry.cell.total for entry in single[judge]), judge),
        default=None,
    )
    why = f"the newest run has {_called(newest)}" if newest else "no run has a single one"
    kept = [entry for entry in entries if not set(entry.cell.judges) - {newest}]
    notes = [
        f"{name} as judged by {' and '.join(map(_called, judges))} is left out, since {why}: {_told(lost)}"
        for judges, group in sorted(judged.items())
        if set(judges) - {newest} and (lost := _lost(group, kept))
    ]
    return kept, notes


def _newest_run(entries: Iterable[Entry]) -> list[Entry]:
    places = _grouped(entries, _place)
    return [max(group, key=lambda entry: entry.cell.run) for _, group in sorted(places.items())]


def _lost(left_out: Iterable[Entry], kept: Iterable[Entry]) -> list[Entry]:
    """Return those left out that the board would stand on if it could: no run as new or newer takes their place."""
    newest = {_place(entry): entry.cell.run for entry in _newest_run(kept)}
    return [entry for entry in left_out if newest.get(_place(entry), "") < entry.cell.run]


def _place(entry: Entry) -> tuple[str, str]:
    """Return where the entry stands among those of its task."""
    return entry.cell.model, entry.cell.attack


def _grouped(entries: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    groups: defaultdict[Key, list[Item]] = defaultdict(list)
    for entry in entries:
        groups[key(entry)].append(entry)
    return dict(groups)


def _last_run(entries: Sequence[Entry]) -> str:
    """Return the newest run: a ULID sorts by the time of its creation."""
    return max(entry.cell.run for entry in entries)


def _told(entries: Sequence[Entry]) -> str:
    """Return how many trials of which models these are."""
    models = sorted({entry.cell.model for entry in entries})
    return f"{sum(entry.cell.total for entry in entries)} trials of {', '.join(models)}"


def _called(judge: Judge) -> str:
    name, version, rubric = judge
    return f"{name} {version}" + (f" ({rubric})" if rubric else "")
