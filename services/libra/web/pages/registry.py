"""Lists the pages. A page is a module with `ROUTES`."""

from __future__ import annotations

from aiohttp import web

from libra.web.pages import (
    arena,
    attacks,
    board,
    compare,
    health,
    judges,
    learn,
    model,
    rounds,
    run,
    runs,
    search,
    verdict,
    verdicts,
)

PAGES = (board, model, runs, run, verdicts, search, verdict, attacks, compare, judges, rounds, learn, arena, health)


def add_routes(application: web.Application) -> None:
    """Add the routes of all pages."""
    for page in PAGES:
        application.router.add_routes(page.ROUTES)
