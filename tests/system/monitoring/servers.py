"""A real Prometheus and a real Alertmanager on the local system, and a webhook that receives its alerts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from libra.local.servers import free_port
from libra.local.system import System
from libra.local.topology import SERVERS, service_of

MONITORING = Path(__file__).parents[3] / "deploy/monitoring"
START_SECONDS = 30.0
POLL_SECONDS = 0.1
SCRAPE_SECONDS = 1


class Receiver:
    """A webhook that records the alerts that are sent to it."""

    def __init__(self) -> None:
        received: list[dict[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.extend({"path": self.path, **alert} for alert in json.loads(body)["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Write nothing to stderr."""

        self.received = received
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Monitoring:
    """The client of the two servers."""

    def __init__(self, prometheus_url: str, alertmanager_url: str, receiver: Receiver) -> None:
        self.prometheus_url, self.alertmanager_url, self.receiver = prometheus_url, alertmanager_url, receiver

    def query_range(self, expression: str, seconds: float) -> list[list[float]]:
        """Return the values of each series of the last `seconds`."""
        now = time.time()
        parameters = {"query": expression, "start": now - seconds, "end": now, "step": SCRAPE_SECONDS}
        reply = get_json(f"{self.prometheus_url}/api/v1/query_range?{urllib.parse.urlencode(parameters)}")
        assert reply["status"] == "success", reply
        return [[float(value) for _, value in series["values"]] for series in reply["data"]["result"]]

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire in Prometheus."""
        reply = get_json(f"{self.prometheus_url}/api/v1/alerts")
        return {each["labels"]["alertname"] for each in reply["data"]["alerts"] if each["state"] == "firing"}

    def inhibited(self) -> set[str]:
        """Return the names of the alerts that Alertmanager does not send because of another."""
        reply = get_json(f"{self.alertmanager_url}/api/v2/alerts")
        return {each["labels"]["alertname"] for each in reply if each["status"]["inhibitedBy"]}


def get_json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as reply:
        return json.load(reply)


def wait_until(condition: Callable[[], object], what: str, seconds: float = START_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(POLL_SECONDS)


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=5):
            return True
    except OSError:
        return False


def quick_rules() -> str:
    """Return alerts.yaml with windows of seconds where it has minutes."""
    text = (MONITORING / "alerts.yaml").read_text()
    text = re.sub(r"\bfor: \w+", "for: 2s", text)
    return re.sub(r"\[10m\]", "[12s]", re.sub(r"interval: 30s", "interval: 1s", text))


def prometheus_config(system: System, alertmanager_port: int) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    config["global"] = {f"{each}_interval": f"{SCRAPE_SECONDS}s" for each in ("scrape", "evaluation")}
    config["global"]["scrape_timeout"] = f"{SCRAPE_SECONDS}s"
    (manager,) = config["alerting"]["alertmanagers"]
    manager["static_configs"] = [{"targets": [f"127.0.0.1:{alertmanager_port}"]}]
    for job in config["scrape_configs"]:
        parts = [name for name in system.ports if f"libra-{service_of(name)}" == job["job_name"]]
        job["static_configs"] = [{"targets": [f"127.0.0.1:{system.ports[name].metrics}" for name in parts]}]
    scraped = sum(len(job["static_configs"][0]["targets"]) for job in config["scrape_configs"])
    assert scraped == len(set(system.ports) - set(SERVERS))
    return config


def alertmanager_config(receiver: Receiver) -> str:
    text = (MONITORING / "alertmanager.yml").read_text()
    return text.replace("http://127.0.0.1:9095", receiver.url).replace("group_wait: 30s", "group_wait: 1s")


@contextmanager
def run(folder: Path, name: str, command: Sequence[str], url: str) -> Iterator[None]:
    """Run a server until the end of the block."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
    try:
        wait_until(lambda: process.poll() is not None or is_ready(url), f"{name} is ready")
        assert process.poll() is None, log.read_text()[-2000:]
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def start_monitoring(folder: Path, system: System) -> Iterator[Monitoring]:
    """Start both servers on the configuration of deploy/monitoring, with short intervals."""
    receiver, ports = Receiver(), (free_port(), free_port())
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    (folder / "alerts.yaml").write_text(quick_rules())
    (folder / "prometheus.yml").write_text(yaml.safe_dump(prometheus_config(system, ports[1])))
    (folder / "alertmanager.yml").write_text(alertmanager_config(receiver))
    manager = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    assert manager, "Alertmanager is missing: run `deploy/setup.sh --monitoring`"
    prometheus_command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{ports[0]}",
    ]
    manager_command = [
        manager,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{ports[1]}",
        "--cluster.listen-address=",
    ]
    try:
        with (
            run(folder, "alertmanager", manager_command, urls[1]),
            run(folder, "prometheus", prometheus_command, urls[0]),
        ):
            monitoring = Monitoring(urls[0], urls[1], receiver)
            services = len(set(system.ports) - set(SERVERS))
            # Prometheus learns its targets some seconds after it is ready.
            wait_until(lambda: len(monitoring.query_range("up == 1", 2)) == services, "every service is scraped")
            yield monitoring
    finally:
        receiver.close()
