"""Check that all samples of a task have the field that its judge reads, or that none of them has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libra.core.errors import Invalid
from libra.dispatch.tasks.column_mapping import ANSWERS, suggest_card

CLASS = "label"
"""The usual name of an answer that is as often a class of the prompts."""


class RequiredField:
    """A field that the card's judge reads.

    A file in which some records lack it is damaged, and a file that has it under another usual name needs a mapping.
    Any other file without it is a set of prompts: it is imported with a warning, since its runs may use another judge.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        """Empty if the judge reads no field."""

        self._first = ""
        """The place of the first record; empty before it."""

        self._is_present = False
        self._suggestion = ""

    def check(self, fields: Mapping[str, Any], record: Mapping[str, Any], where: str) -> None:
        """Check the fields of one record; raise Invalid if it has the field and others have not, or the reverse."""
        if not self.name:
            return
        is_present = fields.get(self.name) not in (None, "")
        if not self._first:
            self._first, self._is_present = where, is_present
            if not is_present:
                self._suggestion = self._suggest(record)
        elif is_present and not self._is_present:
            raise Invalid(
                f"the record has the field {self.name!r}, which the card's judge reads, but {self._first} has not: "
                "give the field to all records or to none"
            )
        elif self._is_present and not is_present:
            raise self._absent(record)

    def _suggest(self, record: Mapping[str, Any]) -> str:
        """Return what to add to the card; raise Invalid if another column is the field under another name."""
        if any(record.get(name) not in (None, "") for name in ANSWERS if name != CLASS):
            raise self._absent(record)
        return suggest_card(record, self.name)

    def _absent(self, record: Mapping[str, Any]) -> Invalid:
        fault = f"the record has no field {self.name!r}, which the card's judge reads"
        return Invalid(f"{fault}; {suggest_card(record, self.name)}")

    def warnings(self, task: str) -> list[str]:
        """Return what is to be known about a task without the field; nothing if its samples have it."""
        if not self._suggestion:
            return []
        warning = (
            f"no record has the field {self.name!r}, which the card's judge reads: name another judge for its runs, "
            f"as --judge {task}=JUDGE, or {self._suggestion}"
        )
        return [warning]
