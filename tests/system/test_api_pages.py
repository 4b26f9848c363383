"""The calls that docs/api shows run against a system as they are, and end with a status that their page names."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grpc import StatusCode

from libra.local.system import System

ROOT = Path(__file__).parents[2]
PORTS = {"50051": "dispatch", "50052": "attack", "50053": "gateway", "50054": "judge", "50055": "ranking"}
METHODS = (
    "AttackService/ListAttacks",
    "DeadLetterService/ListDeadLetters",
    "GateService/CalibrateGate",
    "GatewayService/ListModels",
    "JudgeService/ListJudges",
    "LabelService/ListLabels",
    "ModelService/UpdateModel",
    "RankingService/CompareModels",
    "RoundService/ListRounds",
    "RunControlService/UpdateRunBudget",
    "RunService/ListRuns",
    "ScheduleService/ListSchedules",
    "TaskService/GetTask",
    "WebhookService/ListDeliveries",
)
BUF_FACTOR = 8
"""buf exits with the number of the status times this."""

CODES = {code.value[0]: code.name for code in StatusCode}


def test_the_calls_of_the_pages_run_and_end_with_a_status_that_the_page_names(system: System) -> None:
    system.up()
    with ThreadPoolExecutor(4) as threads:
        found = dict(zip(METHODS, threads.map(lambda method: call(system, method), METHODS), strict=True))
    assert {method: code for method, code in found.items() if code not in {"OK", *named_statuses(method)}} == {}
    assert list(found.values()).count("OK") >= 6


def call(system: System, method: str) -> str:
    """Run the command of a page; return the name of its status."""
    [command] = re.findall(r"```sh\n(.*?)```", section(method), re.DOTALL)
    command = re.sub(r"localhost:(\d+)", lambda port: system.addresses[PORTS[port[1]]], command)
    command = command.replace("buf curl", f"{Path(sys.executable).with_name('buf')} curl", 1)
    code = subprocess.run(["sh", "-c", command], check=False, cwd=ROOT, capture_output=True, timeout=60).returncode
    return CODES.get(code // BUF_FACTOR, f"exit code {code}") if code % BUF_FACTOR == 0 else f"exit code {code}"


def named_statuses(method: str) -> set[str]:
    return set(re.findall(r"^- `([A-Z_]+)`", section(method), re.MULTILINE))


def section(method: str) -> str:
    """Return the part of a page that is about one method."""
    service, _, name = method.partition("/")
    text = (ROOT / "docs" / "api" / f"{service}.md").read_text()
    return next(part for part in re.split(r"^## ", text, flags=re.MULTILINE) if part.startswith(f"{name}\n"))
