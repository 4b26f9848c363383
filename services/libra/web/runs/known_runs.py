"""Answers an address of an unknown run, or of something in it, with a page that links to the runs that exist."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from libra.core.errors import NotFound
from libra.v1.run_pb2 import ListRunsRequest
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.web.keys import BACKEND
from libra.web.renderer import render
from libra.web.runs.run_summary import summarize

SHOWN_RUNS = 10

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def suggests_runs(handler: Handler) -> Handler:
    """Return the handler of a page that shows the newest runs, under the status 404, if something is not found."""

    @functools.wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except NotFound as error:
            runs = await request.app[BACKEND].attempt(RunServiceStub, "ListRuns", ListRunsRequest(page_size=SHOWN_RUNS))
            known = [summarize(run) for run in runs.value.runs] if runs.value else []
            values = {"message": error.message.partition(";")[0], "runs": runs, "known": known}
            return render(request, "runs/unknown.html", values, HTTPStatus.NOT_FOUND)

    return guarded
