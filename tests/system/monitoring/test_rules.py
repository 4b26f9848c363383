"""promtool accepts the rules, the configurations and each panel's query, and the tests of the rules pass."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.system.monitoring.servers import MONITORING
from tests.system.monitoring.test_monitoring import panel_queries

COMMAND_SECONDS = 100


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", ["alerts_test.yaml", "alerts_days_test.yaml"])
def test_each_alert_fires_when_it_should_and_only_then(file: str) -> None:
    run("promtool", "test", "rules", str(MONITORING / file))


def test_the_configurations_are_valid() -> None:
    run("promtool", "check", "config", str(MONITORING / "prometheus.yml"))
    run(shutil.which("amtool") or "amtool", "check-config", str(MONITORING / "alertmanager.yml"))


def test_the_query_of_each_panel_can_be_parsed(tmp_path: Path) -> None:
    rules = [{"record": f"panel_{n}", "expr": query} for n, query in enumerate(panel_queries().values())]
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    run("promtool", "check", "rules", str(file))
