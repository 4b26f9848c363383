"""Serves the files of the folder `static`, under addresses that contain a hash of their content.

Browsers may keep such a file for ever, because another content has another address.
"""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from importlib import resources
from pathlib import PurePosixPath

from aiohttp import web

FOLDER = resources.files("libra.web") / "static"
HASH_CHARACTERS = 12
FOREVER = "public, max-age=31536000, immutable"


@cache
def content(name: str) -> bytes:
    """Return the content of a file, "vendor/pico/pico.min.css"; raise FileNotFoundError."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise FileNotFoundError(name)
    return FOLDER.joinpath(*path.parts).read_bytes()


@cache
def url(name: str) -> str:
    """Return the address of a file."""
    return f"/static/{hashlib.sha256(content(name)).hexdigest()[:HASH_CHARACTERS]}/{name}"


async def serve_file(request: web.Request) -> web.Response:
    """Return a file; 404 for one that does not exist or has other content now."""
    name = request.match_info["name"]
    try:
        if request.path != url(name):
            raise web.HTTPNotFound
        body = content(name)
    except OSError:
        raise web.HTTPNotFound from None
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    charset = "utf-8" if kind.startswith("text/") else None
    return web.Response(body=body, content_type=kind, charset=charset, headers={"Cache-Control": FOREVER})


def add_routes(application: web.Application) -> None:
    """Serve the files under /static/."""
    application.router.add_get(r"/static/{hash}/{name:.+}", serve_file)
