"""The pages in front of services that give the replies a test sets."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry
from tests.unit.cli.scripted_services import ScriptedServices

from libra.telemetry.metrics import Metrics
from libra.v1.arena_pb2 import GetRatingsResponse
from libra.v1.gateway_pb2 import ListModelsResponse, ModelStatus
from libra.v1.model_pb2 import Model, Provider
from libra.v1.round_pb2 import ListRoundsResponse
from libra.v1.run_pb2 import ListRunsResponse
from libra.web.access import Access
from libra.web.backend import Backend
from libra.web.security.client_address import ClientAddresses
from libra.web.security.visitor import TOKEN_FIELD
from libra.web.server.application import create_application

SERVICES = ("attack", "dispatch", "gateway", "judge", "ranking", "arena")
SECRET = b"s" * 32
CALL_SECONDS = 5.0
TOKEN = re.compile(rf'name="{TOKEN_FIELD}" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class PagesClient:
    """Reads pages as a browser does, with its cookies."""

    client: TestClient[Any, Any]
    services: ScriptedServices
    registry: CollectorRegistry

    async def read(self, path: str, *, status: int = 200, **options: Any) -> str:
        """Return the text of a page."""
        async with self.client.get(path, **options) as response:
            text = await response.text()
            assert response.status == status, text
            return text

    async def send(self, path: str, form_page: str, headers: Mapping[str, str] | None = None, **fields: str) -> Any:
        """Send a form of a page, with its token, and return the response."""
        token = TOKEN.search(await self.read(form_page))
        assert token
        data = {TOKEN_FIELD: unescape(token[1]), **fields}
        return await self.client.post(path, data=data, allow_redirects=False, headers=headers)

    def refusals(self, reason: str) -> float:
        """Return how many requests were refused for this reason."""
        return self.registry.get_sample_value("libra_web_refusals_total", {"reason": reason}) or 0.0


@asynccontextmanager
async def open_pages(
    services: ScriptedServices, *, listen: str = "127.0.0.1:0", trusted_proxies: str = ""
) -> AsyncIterator[PagesClient]:
    """Serve the pages; reference models, runs and rounds have replies already."""
    services.replies |= {
        "ListModels": ListModelsResponse(
            models=[ModelStatus(model=Model(name="refuser", provider=Provider.PROVIDER_SCRIPTED))]
        ),
        "ListRuns": ListRunsResponse(),
        "ListRounds": ListRoundsResponse(),
        "GetRatings": GetRatingsResponse(),
    }
    registry = CollectorRegistry()
    backend = Backend(dict.fromkeys(SERVICES, services.address), CALL_SECONDS)
    access = Access.create(listen, "public-boards")
    addresses = ClientAddresses.create(trusted_proxies, "x-forwarded-for")
    application = create_application(backend, access, SECRET, Metrics(registry), addresses)
    async with TestClient(TestServer(application)) as client:
        yield PagesClient(client, services, registry)
    await backend.close()
