"""Shows every failure as a page of the site: what happened, to what, and what to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from aiohttp import web

from libra.core.errors import CallerError
from libra.telemetry.log_actions import Action
from libra.web.renderer import render, status_of
from libra.web.unavailable import ServiceAway

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TITLES = {
    HTTPStatus.BAD_REQUEST: "This request cannot be answered",
    HTTPStatus.FORBIDDEN: "This is not allowed",
    HTTPStatus.NOT_FOUND: "There is no such page",
    HTTPStatus.SERVICE_UNAVAILABLE: "A part of Libra is away",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Libra failed on a bug",
}

UNKNOWN_PAGE = "There is nothing at this address. The head of the page links to everything that exists."
BUG = "The log of web has the details. Everything else still works."


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn an error into its page."""
    try:
        return await handler(request)
    except CallerError as error:
        return error_page(request, status_of(error), error.message)
    except ServiceAway as error:
        return error_page(request, HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    except web.HTTPNotFound:
        return error_page(request, HTTPStatus.NOT_FOUND, UNKNOWN_PAGE)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return error_page(request, HTTPStatus(error.status), error.text or error.reason)
    except Exception:
        log.exception("a page failed on a bug", action=Action.PAGE_FAILED, path=request.path)
        return error_page(request, HTTPStatus.INTERNAL_SERVER_ERROR, BUG)


def error_page(request: web.Request, status: HTTPStatus, message: str) -> web.Response:
    """Return the page that says what is wrong."""
    title = TITLES.get(status, status.phrase)
    return render(request, "error.html", {"title": title, "status": int(status), "message": message}, status)
