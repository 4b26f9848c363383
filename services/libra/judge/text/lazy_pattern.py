"""Regular expressions that are compiled at their first use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property


class LazyPattern:
    """A regular expression that takes no time when a process starts; most processes need few of all patterns.

    After the first use, each method is that of the compiled pattern.
    """

    def __init__(self, compile_pattern: Callable[[], re.Pattern[str]]) -> None:
        self._compile_pattern = compile_pattern

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The compiled pattern."""
        return self._compile_pattern()

    @cached_property
    def search(self) -> Callable[[str], re.Match[str] | None]:
        """Return the first match in a text."""
        return self.compiled.search

    @cached_property
    def match(self) -> Callable[[str], re.Match[str] | None]:
        """Return the match at the beginning of a text."""
        return self.compiled.match

    @cached_property
    def finditer(self) -> Callable[[str], Iterator[re.Match[str]]]:
        """Yield all matches in a text."""
        return self.compiled.finditer

    @cached_property
    def findall(self) -> Callable[[str], list[str]]:
        """Return the texts of all matches."""
        return self.compiled.findall

    @cached_property
    def sub(self) -> Callable[[str | Callable[[re.Match[str]], str], str], str]:
        """Return a text with all matches replaced."""
        return self.compiled.sub
