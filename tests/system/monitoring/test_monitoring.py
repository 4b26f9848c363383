"""A real Prometheus scrapes the real services: every panel has data, and the alert about a broken stage arrives."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psutil
import pytest
from tests.generated_task import import_requests, sample_lines
from tests.system.monitoring.servers import MONITORING, SCRAPE_SECONDS, Monitoring, start_monitoring, wait_until
from tests.system.run_client import CALL_SECONDS, RunClient

from libra.local.system import System
from libra.rpc.client import call, channel
from libra.v1.judge_pb2 import CalibrateRequest, CheckDriftRequest, LabelledAnswer
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.message_pb2 import Message
from libra.v1.ranking_pb2 import AuditRunRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import RunState
from libra.v1.task_pb2 import JudgeSpec
from libra.v1.task_pb2_grpc import TaskServiceStub

pytestmark = pytest.mark.timeout(180)

TASK = "monitored"
SAMPLES = 300
MODELS = ["refuser", "complier", "careful"]
RANGE_SECONDS = 120.0
ALERT_SECONDS = 50.0
PANEL_SECONDS = 20.0
VARIABLES = {"$__rate_interval": "10s", "$__range": "1m", "$model": ".*", "$judge": ".*"}


@pytest.fixture(scope="module")
def monitoring(tmp_path_factory: pytest.TempPathFactory, system: System) -> Iterator[Monitoring]:
    system.up()
    with start_monitoring(tmp_path_factory.mktemp("monitoring"), system) as started:
        yield started


@pytest.fixture
async def client(system: System) -> AsyncIterator[RunClient]:
    opened = RunClient(system)
    data = sample_lines(f"How is {n} done?" for n in range(SAMPLES))
    dispatch = channel(system.grpc_target("dispatch"))
    await call(TaskServiceStub(dispatch).ImportTask, import_requests(TASK, data), CALL_SECONDS)
    yield opened
    await dispatch.close()
    await opened.close()


def labelled(text: str, *, positive: bool) -> LabelledAnswer:
    return LabelledAnswer(messages=[Message(role="user", content="How is it done?")], text=text, positive=positive)


ANSWERS = [labelled("I can't help with that.", positive=True), labelled("Sure! First take it apart.", positive=False)]


async def calibrate(system: System) -> None:
    """Calibrate a judge and check it for drift."""
    judge = JudgeSpec(name="refusal", options={"want": "refused"})
    to_judge = channel(system.grpc_target("judge"))
    stub = JudgeServiceStub(to_judge)
    await call(stub.Calibrate, CalibrateRequest(judge=judge, answers=ANSWERS, labels="labels"), CALL_SECONDS)
    await call(stub.CheckDrift, CheckDriftRequest(judge=judge, answers=ANSWERS), CALL_SECONDS)
    await to_judge.close()


async def audit(system: System, run: str) -> None:
    to_ranking = channel(system.grpc_target("ranking"))
    reply = await call(RankingServiceStub(to_ranking).AuditRun, AuditRunRequest(run=run), CALL_SECONDS)
    assert not reply.findings
    await to_ranking.close()


def panel_queries() -> dict[str, str]:
    """Return the query of each panel, with a value for each variable of Grafana."""
    found = {}
    for path in sorted((MONITORING / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                query = target["expr"]
                for name, value in VARIABLES.items():
                    query = query.replace(name, value)
                found[f"{path.stem}/{panel['title']}/{target['refId']}"] = query
    return found


def empty_panels(monitoring: Monitoring) -> list[str]:
    """Return the panels without a single number."""
    queries = panel_queries()
    assert len(queries) > 60
    return [
        panel
        for panel, query in queries.items()
        if not any(math.isfinite(value) for series in monitoring.query_range(query, RANGE_SECONDS) for value in series)
    ]


async def test_no_panel_is_empty_after_a_run(system: System, monitoring: Monitoring, client: RunClient) -> None:
    # The first run creates the series of its models; without two points in time, a counter has no rate.
    for epochs in (1, 3):
        run = await client.create(models=MODELS, tasks=[TASK], attacks=["none", "few_shots"], epochs=epochs, fresh=True)
        ended = await client.wait_for_end(run.id)
        assert ended.state == RunState.RUN_STATE_FINISHED
        await asyncio.sleep(2.5 * SCRAPE_SECONDS)
    await calibrate(system)
    await audit(system, run.id)
    until = time.monotonic() + PANEL_SECONDS
    while (empty := empty_panels(monitoring)) and time.monotonic() < until:
        await asyncio.sleep(1.0)
    assert "\n".join(empty) == ""
    wait_until(lambda: not monitoring.firing(), "no alert fires")


def service_down(monitoring: Monitoring) -> list[dict[str, Any]]:
    """Return the received alerts about a service that does not answer; its effects may be received first."""
    return [each for each in monitoring.receiver.received if each["labels"]["alertname"] == "LibraServiceDown"]


async def test_a_suspended_judge_causes_an_alert_that_reaches_the_webhook(
    system: System, monitoring: Monitoring, client: RunClient
) -> None:
    judge = psutil.Process(system.pid("judge"))
    run = await client.create(models=MODELS, tasks=[TASK], epochs=4, fresh=True)
    judge.send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: {"LibraServiceDown", "LibraStageStalled"} <= monitoring.firing(), "both fire", ALERT_SECONDS)
        wait_until(lambda: service_down(monitoring), "the webhook is called", ALERT_SECONDS)
        wait_until(lambda: "LibraStageStalled" in monitoring.inhibited(), "the cause inhibits its effect")
    finally:
        judge.send_signal(signal.SIGCONT)
    alert = service_down(monitoring)[0]
    assert alert["path"] == "/pages"
    assert alert["labels"]["job"] == "libra-judge"
    assert alert["annotations"]["runbook_url"] == "docs/runbook.md#libraservicedown"
    assert (await client.wait_for_end(run.id)).state == RunState.RUN_STATE_FINISHED
    wait_until(lambda: monitoring.firing() == set(), "no alert fires any more")
