"""The pages' process: it answers probes, refuses to be reached from elsewhere, and stops cleanly."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping

from libra.local import health
from libra.local.servers import free_port
from libra.local.settings import inherited_environment

START_SECONDS = 60.0


def start(variables: Mapping[str, str]) -> subprocess.Popen[str]:
    environment = {**inherited_environment(), "LIBRA_WEB_METRICS_LISTEN": "127.0.0.1:0", **variables}
    return subprocess.Popen(
        [sys.executable, "-m", "libra.web"], env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_it_answers_probes_without_any_service_and_stops_on_a_signal() -> None:
    port = free_port()
    assert not health.answers_http(port)
    process = start({"LIBRA_WEB_LISTEN": f"127.0.0.1:{port}", "LIBRA_WEB_CALL_SECONDS": "1"})
    deadline = time.monotonic() + START_SECONDS
    while not health.answers_http(port):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as response:
        assert "The service ranking has not answered since" in response.read().decode()
    process.send_signal(signal.SIGTERM)
    _, output = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert '"action":"process_stopped"' in output


def test_it_refuses_an_address_that_others_reach_unless_told_so() -> None:
    process = start({"LIBRA_WEB_LISTEN": f"0.0.0.0:{free_port()}"})
    _, errors = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 2
    assert "set LIBRA_WEB_ALLOW_REMOTE=public-boards" in errors
