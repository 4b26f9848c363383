"""The users of nats-server as a part of its configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping

from deploy.users.permissions import ADMIN, DEAD, GRANTS, NATS, PROBE, STREAMS, NatsAccess

API = "$JS.API"
HEADER = "# Made by `python3 -m deploy.users create`; it contains passwords.\n"


def render(passwords: Mapping[str, str]) -> str:
    """Return the block `authorization` with one user for each service, and the operator's."""
    users = [f"    {{ user: {_quote(ADMIN)}, password: {_quote(passwords[ADMIN])} }}"]
    for service, access in NATS.items():
        publish, subscribe = subjects(service, access)
        users.append(
            f"    {{ user: {_quote(service)}, password: {_quote(passwords[service])}, permissions: {{\n"
            f"        publish: {json.dumps(publish)}\n"
            f"        subscribe: {json.dumps(subscribe)}\n"
            f"    }} }}"
        )
    return HEADER + "authorization {\n  users: [\n" + "\n".join(users) + "\n  ]\n}\n"


def subjects(service: str, access: NatsAccess) -> tuple[list[str], list[str]]:
    """Return the subjects that a service publishes to, and those that it subscribes to."""
    queues = [(stream, *STREAMS[stream]) for stream in access.pulls]
    publish = {
        "event.probe",
        f"{API}.INFO",
        *(f"{API}.STREAM.INFO.{stream}" for stream in (*STREAMS, DEAD, PROBE, GRANTS)),
        *(f"{API}.CONSUMER.INFO.{stream}.{consumer}" for stream, (consumer, _) in STREAMS.items() if consumer != "*"),
        *(f"{API}.CONSUMER.MSG.NEXT.{stream}.{consumer}" for stream, consumer, _ in queues),
        *(f"$JS.ACK.{stream}.{consumer}.>" for stream, consumer, _ in queues),
        *(subject for _, _, subject in queues),
        *(f"dead.{stage}" for stage in access.dead_letters),
        *access.publishes,
        *(f"{API}.{request}" for request in access.requests),
    }
    # Replies come to an inbox whose name begins with the service, so that no user reads the replies of another.
    return sorted(publish), sorted({f"_INBOX_{service}.>", *access.listens})


def _quote(text: str) -> str:
    return json.dumps(text)
