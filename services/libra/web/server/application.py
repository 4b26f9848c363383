"""Builds the application: its parts, its middleware, its routes and its templates."""

from __future__ import annotations

import aiohttp_jinja2
import jinja2
from aiohttp import web

from libra.telemetry.metrics import Metrics
from libra.web import renderer, static_files
from libra.web.access import Access
from libra.web.backend import Backend
from libra.web.keys import ACCESS, BACKEND, METRICS, SECRET
from libra.web.pages import registry
from libra.web.security.client_address import CLIENT_ADDRESSES, ClientAddresses
from libra.web.security.headers import add_headers, header_middleware
from libra.web.security.visitor import visitor_middleware
from libra.web.server.errors import error_middleware
from libra.web.server.measurement import measure_middleware

MAX_REQUEST_BYTES = 256 * 1024
"""A prompt of 100 kB is refused with a sentence beside its field; more than this before it is read."""

TRUSTS_NO_PROXY = ClientAddresses()


def create_application(
    backend: Backend,
    access: Access,
    secret: bytes,
    metrics: Metrics,
    client_addresses: ClientAddresses = TRUSTS_NO_PROXY,
) -> web.Application:
    """Return the application; the caller closes the backend."""
    application = web.Application(
        client_max_size=MAX_REQUEST_BYTES,
        middlewares=(measure_middleware, error_middleware, header_middleware, visitor_middleware),
    )
    application[BACKEND], application[ACCESS] = backend, access
    application[SECRET], application[METRICS] = secret, metrics
    application[CLIENT_ADDRESSES] = client_addresses
    aiohttp_jinja2.setup(
        application,
        loader=jinja2.PackageLoader("libra.web"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        filters=renderer.FILTERS,
    )
    application.on_response_prepare.append(add_headers)
    static_files.add_routes(application)
    registry.add_routes(application)
    return application
