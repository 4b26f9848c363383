"""Only the commands write to the terminal."""

from __future__ import annotations

import socket
import subprocess
import sys

from libra.local import settings

USED_PORT = """
import contextlib, sys
import libra.cli.__main__
import grpc

with contextlib.suppress(RuntimeError):
    grpc.server(None).add_insecure_port(sys.argv[1])
"""


def test_the_core_of_grpc_writes_nothing_to_the_terminal() -> None:
    environment = {name: value for name, value in settings.inherited().items() if name != "GRPC_VERBOSITY"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        command = [sys.executable, "-c", USED_PORT, address]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("", "")
