"""Services that give the replies a test sets, and the command line that calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from click.testing import CliRunner, Result
from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_status import rpc_status

from libra.cli.__main__ import main
from libra.core.errors import LibraError
from libra.rpc.errors import to_status
from libra.v1 import (
    annotation_pb2,
    annotation_pb2_grpc,
    arena_pb2,
    arena_pb2_grpc,
    attack_pb2,
    attack_pb2_grpc,
    gate_pb2,
    gate_pb2_grpc,
    gateway_pb2,
    gateway_pb2_grpc,
    judge_pb2,
    judge_pb2_grpc,
    label_pb2,
    label_pb2_grpc,
    model_pb2,
    model_pb2_grpc,
    ranking_pb2,
    ranking_pb2_grpc,
    round_pb2,
    round_pb2_grpc,
    run_control_pb2,
    run_control_pb2_grpc,
    run_pb2,
    run_pb2_grpc,
    schedule_pb2,
    schedule_pb2_grpc,
    task_pb2,
    task_pb2_grpc,
    webhook_pb2,
    webhook_pb2_grpc,
)

SERVICES = (
    ("RunService", run_pb2, run_pb2_grpc),
    ("RunControlService", run_control_pb2, run_control_pb2_grpc),
    ("RankingService", ranking_pb2, ranking_pb2_grpc),
    ("GateService", gate_pb2, gate_pb2_grpc),
    ("LabelService", label_pb2, label_pb2_grpc),
    ("AnnotationService", annotation_pb2, annotation_pb2_grpc),
    ("JudgeService", judge_pb2, judge_pb2_grpc),
    ("ModelService", model_pb2, model_pb2_grpc),
    ("ScheduleService", schedule_pb2, schedule_pb2_grpc),
    ("WebhookService", webhook_pb2, webhook_pb2_grpc),
    ("GatewayService", gateway_pb2, gateway_pb2_grpc),
    ("TaskService", task_pb2, task_pb2_grpc),
    ("AttackService", attack_pb2, attack_pb2_grpc),
    ("RoundService", round_pb2, round_pb2_grpc),
    ("ArenaService", arena_pb2, arena_pb2_grpc),
)
ADDRESSES = tuple(
    f"LIBRA_{service}_ADDRESS" for service in ("ARENA", "ATTACK", "DISPATCH", "GATEWAY", "JUDGE", "RANKING")
)


class ScriptedServices:
    """Replies by method, and the requests that were received.

    A reply is a message or an error. A list of replies gives one to each call; a list within it is a stream.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self.replies: dict[str, Any] = {}
        self.requests: list[Any] = []
        self.address = environment[ADDRESSES[0]]
        self._environment = environment

    def libra(self, *arguments: object) -> Result:
        """Run the command line against these services, in a terminal of 80 columns."""
        return CliRunner(env=self._environment).invoke(main, [str(argument) for argument in arguments])

    def handler(self, method: str) -> Callable[[Any, grpc.ServicerContext], Any]:
        def handle(request: Any, context: grpc.ServicerContext) -> Any:
            self.requests.append(request)
            reply = self.replies[method]
            reply = reply.pop(0) if isinstance(reply, list) else reply
            if isinstance(reply, LibraError):
                context.abort_with_status(rpc_status.to_status(to_status(reply, "r1")))
            return iter(reply) if isinstance(reply, list) else reply

        return handle


@contextmanager
def scripted_services(folder: Path) -> Iterator[ScriptedServices]:
    """Serve until the block ends; no system runs in `folder`."""
    server = grpc.server(ThreadPoolExecutor(2))
    add_HealthServicer_to_server(HealthServicer(), server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    environment = {**dict.fromkeys(ADDRESSES, address), "LIBRA_DATA": str(folder / "none"), "COLUMNS": "80"}
    services = ScriptedServices(environment)
    for name, messages, stubs in SERVICES:
        methods = messages.DESCRIPTOR.services_by_name[name].methods_by_name
        base = getattr(stubs, f"{name}Servicer")
        servicer = type(name, (base,), {method: staticmethod(services.handler(method)) for method in methods})
        getattr(stubs, f"add_{name}Servicer_to_server")(servicer(), server)
    server.start()
    yield services
    server.stop(None).wait()


def longest_line(text: str) -> int:
    """Return the number of characters in the longest line."""
    return max(map(len, text.splitlines()), default=0)
