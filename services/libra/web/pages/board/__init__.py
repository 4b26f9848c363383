"""The board: its table, its chart, its downloads, and the ranking at every weight."""

from __future__ import annotations

from libra.web.pages.board.page import ROUTES

__all__ = ["ROUTES"]
