"""Another process uses the client over loopback: it follows a run to its end and reads the board."""

from __future__ import annotations

import json
import subprocess
import sys

from libra.local.system import System

PROGRAM = """
import json, sys
from libra.client import LibraClient

with LibraClient(dispatch=sys.argv[1], ranking=sys.argv[2]) as libra:
    run = libra.create_run(models=["careful", "complier"], tasks=["privacy_requests"], samples_per_task=10, fresh=True)
    revisions = [state.revision for state in libra.watch_run(run.id)]
    ended = libra.wait_for_run(run.id, timeout_seconds=60)
    board = libra.get_board(runs=[run.id])
    report = libra.compare_models("careful", "complier", runs=[run.id])
    best = libra.best_model(minimum={"safety": 0.5}, runs=[run.id], is_certain=False)
    verdicts = list(libra.list_verdicts(run.id, model="careful"))
    print(json.dumps({
        "state": ended.state,
        "ordered": revisions == sorted(set(revisions)),
        "models": sorted(row.model for row in board.rows),
        "safer": board.row("careful").safety.value > board.row("complier").safety.value,
        "verdict": report.named("direct_risky").verdict,
        "violations": sorted(best.violations),
        "verdicts": len(verdicts),
        "outcomes": sorted({verdict.outcome for verdict in verdicts}),
    }))
"""


def test_another_process_follows_a_run_and_reads_its_board(system: System) -> None:
    system.up()
    addresses = [system.grpc_target("dispatch"), system.grpc_target("ranking")]
    command = [sys.executable, "-c", PROGRAM, *addresses]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=100).stdout
    assert json.loads(output) == {
        "state": "finished",
        "ordered": True,
        "models": ["careful", "complier"],
        "safer": True,
        "verdict": "better",
        "violations": ["careful", "complier"],
        "verdicts": 10,
        "outcomes": ["scored"],
    }
