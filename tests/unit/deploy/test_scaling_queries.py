"""The queries of the autoscalers, evaluated by Prometheus on series with known values."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from .kustomizations import render_component, select

TIMEOUT_SECONDS = 60.0


def series(name: str, value: int, **labels: str) -> dict[str, str]:
    text = ",".join(f'{label}="{each}"' for label, each in {"namespace": "libra", "pod": "a", **labels}.items())
    return {"series": f"libra_{name}{{{text}}}", "values": str(value)}


def queue(consumer: str, waiting: int, in_hand: int) -> list[dict[str, str]]:
    """Return the gauges of one consumer."""
    return [series("backlog", waiting, consumer=consumer), series("ack_pending", in_hand, consumer=consumer)]


def case(given: list[dict[str, str]], expected: dict[str, int | None]) -> dict[str, Any]:
    """Return a test of promtool; None stands for no value at all, on which KEDA falls back."""
    tests = [
        {
            "expr": name,
            "eval_time": "1m",
            "exp_samples": [] if value is None else [{"labels": name, "value": value}],
        }
        for name, value in expected.items()
    ]
    return {"interval": "1m", "input_series": given, "promql_expr_test": tests}


BUSY = [
    *queue("attack", 5, 4),
    *queue("writing", 0, 0),
    *queue("gateway-slow", 4_000, 9),
    *queue("gateway-fast", 1, 1),
    *queue("judge", 40, 16),
    *queue("ranking", 0, 3),
    series("runs_active", 0),
    series("runs_active", 2, pod="b"),
]

CASES = [
    case(
        BUSY,
        {
            "attack_rules": 9,
            "attack_models": 0,
            "gateway_batches": 11,  # 9 for the slow model, however long its queue, and 2 for the fast one
            "gateway_callers": 1,
            "judge_batches": 56,
            "ranking_batches": 3,
        },
    ),
    case([series("runs_active", 0)], {"gateway_batches": 0, "gateway_callers": 0, "judge_batches": None}),
    case([series("runs_active", 0), series("ready", 1, service="arena")], {"gateway_callers": 1}),
    case([series("ready", 1, service="arena")], {"gateway_callers": None, "attack_rules": None}),
]


def test_the_queries_count_what_they_should(tmp_path: Path) -> None:
    rules = [
        {"record": f"{name}_{trigger['name']}", "expr": trigger["metadata"]["query"]}
        for name, one in select(render_component("keda"), "ScaledObject").items()
        for trigger in one["spec"]["triggers"]
        if trigger["type"] == "prometheus"
    ]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "scaling", "rules": rules}]}))
    (tmp_path / "test.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": CASES}))
    promtool = shutil.which("promtool")
    assert promtool, "promtool is not installed: apt-get install prometheus"
    command = [promtool, "test", "rules", str(tmp_path / "test.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
