"""Refuses what the pages do not offer to everyone."""

from __future__ import annotations

from aiohttp import web

from libra.web.keys import ACCESS, METRICS


def require_transcripts(request: web.Request) -> None:
    """Raise HTTPForbidden unless prompts and answers may be read, runs cancelled and annotations left."""
    if request.app[ACCESS].shows_transcripts:
        return
    request.app[METRICS].web_refusals.labels(reason="transcripts").inc()
    raise web.HTTPForbidden(
        text="Prompts, answers and the control of runs are offered on the machine of the service only. Boards, attacks "
        "and judges are shown to everyone."
    )
