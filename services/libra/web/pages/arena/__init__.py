"""The arena: a visitor attacks two models whose names are not shown, and votes."""

from __future__ import annotations

from libra.web.pages.arena.routes import ROUTES

__all__ = ["ROUTES"]
