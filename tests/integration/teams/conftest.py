"""All services with the things of the team red, of all teams, and of the team blue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.integration.support.all_services import ADMIN_SECRET, all_services
from tests.integration.teams.cases import Names
from tests.integration.teams.planted import World, open_clients, plant

from libra.local.servers import MongoServer
from libra.store.client import Store


@dataclass
class Planted:
    """A world, and the names of what was created in it."""

    world: World
    red: Names
    shared: Names


@pytest.fixture
async def world(nats_url: str, mongo_server: MongoServer, store: Store, tmp_path: Path) -> AsyncIterator[World]:
    webhooks = {"LIBRA_DISPATCH_WEBHOOK_NETWORKS": "127.0.0.0/8", "LIBRA_DISPATCH_WEBHOOK_HTTP_HOSTS": "127.0.0.1"}
    database = store._database.name
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(
            all_services(nats_url, mongo_server.url, database, tmp_path, **webhooks)
        )
        operator = await stack.enter_async_context(services.client(ADMIN_SECRET))
        opened = World(services, nats_url, operator)
        await open_clients(opened, stack, ("red", "blue"))
        yield opened


@pytest.fixture
async def planted(world: World) -> Planted:
    red = await plant(world, world.admin("red"), "crimson", "red")
    shared = await plant(world, world.operator, "common", "")
    await plant(world, world.admin("blue"), "azure", "blue")
    return Planted(world, red, shared)
