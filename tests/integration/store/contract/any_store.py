"""The two stores that keep one contract: the real one, and the one in memory."""

from __future__ import annotations

from collections.abc import Callable

from libra.store.client import Store
from libra.testing.memory import MemoryStore

AnyStore = Store | MemoryStore
Connect = Callable[[int], AnyStore]
"""Connects a writer with its bucket to one shared store."""
