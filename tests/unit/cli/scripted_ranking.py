"""A ranking service that gives the answers a test lays out for it, and the command that asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from click.testing import CliRunner, Result
from grpc_status import rpc_status

from libra.cli.__main__ import main
from libra.errors import LibraError
from libra.rpc.errors import to_status
from libra.v1.ranking_pb2 import DESCRIPTOR
from libra.v1.ranking_pb2_grpc import RankingServiceServicer, add_RankingServiceServicer_to_server

METHODS = DESCRIPTOR.services_by_name["RankingService"].methods_by_name


@dataclass
class Laid:
    """Answers by method, each a message or an error; and what was asked."""

    libra: Callable[..., Result]
    answers: dict[str, Any] = field(default_factory=dict)
    requests: list[Any] = field(default_factory=list)

    def give(self, method: str) -> Callable[[Any, grpc.ServicerContext], Any]:
        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            self.requests.append(request)
            laid = self.answers[method]
            if isinstance(laid, LibraError):
                context.abort_with_status(rpc_status.to_status(to_status(laid, "r1")))
            return laid

        return answer


@contextmanager
def laid_out(folder: Path) -> Iterator[Laid]:
    """Serve until the block ends; `folder` is one without a system in it."""
    server = grpc.server(ThreadPoolExecutor(2))
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    env = {"LIBRA_RANKING_ADDRESS": address, "LIBRA_DATA": str(folder / "none"), "COLUMNS": "80"}
    laid = Laid(lambda *words: CliRunner(env=env).invoke(main, [str(word) for word in words]))
    servicer = type("Ranking", (RankingServiceServicer,), {name: staticmethod(laid.give(name)) for name in METHODS})
    add_RankingServiceServicer_to_server(servicer(), server)
    server.start()
    yield laid
    server.stop(None).wait()


def widest(text: str) -> int:
    """Return the length of the longest line."""
    return max(map(len, text.splitlines()), default=0)
