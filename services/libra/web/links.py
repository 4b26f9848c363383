"""Addresses of pages about one thing."""

from __future__ import annotations

from urllib.parse import quote


def model_path(name: str) -> str:
    """Return the address of the page about a model."""
    return f"/models/{quote(name, safe='')}"


def run_path(run: str) -> str:
    """Return the address of the page about a run."""
    return f"/runs/{quote(run, safe='')}"


def round_path(name: str) -> str:
    """Return the address of the page about a round."""
    return f"/rounds/{quote(name, safe='')}"


def battle_path(battle: str) -> str:
    """Return the address of the page about a battle of the arena."""
    return f"/arena/battles/{quote(battle, safe='')}"
