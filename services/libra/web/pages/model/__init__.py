"""The page about one model: its scores by task and attack, its history, what it fails at, and what it costs."""

from __future__ import annotations

from libra.web.pages.model.page import ROUTES

__all__ = ["ROUTES"]
