"""`libra board --json` computes the published Safety Scores from the published task scores."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.data_files import PUBLISHED_SCORES
from ulid import ULID

from libra.local.system import System
from libra.store.client import Store
from libra.store.runs import RunRecord, RunSection
from libra.v1.batch_pb2 import BatchHeader, VerdictBatch
from libra.v1.run_pb2 import Run, RunSpec, RunState
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import JudgeVersion, Outcome, Verdict

JUDGE = JudgeVersion(name="published", version="1")


async def store_published(store: Store, scores: dict[str, dict[str, float]], categories: dict[str, str]) -> str:
    """Store a finished run with one verdict for each published score; return its id."""
    sections = {
        task: RunSection(f"{task}@published", "none", Category.Value(f"CATEGORY_{category.upper()}"), 1)
        for task, category in categories.items()
    }
    run = Run(id=str(ULID()), spec=RunSpec(models=sorted(scores)), state=RunState.RUN_STATE_RUNNING)
    await store.runs.insert(RunRecord(run=run, sections=list(sections.values())))
    for model, task_scores in scores.items():
        for task, score in task_scores.items():
            section = sections[task]
            header = BatchHeader(
                run=run.id, model=model, task=section.task, attack="none", category=Category.ValueType(section.category)
            )
            verdict = Verdict(outcome=Outcome.OUTCOME_SCORED, score=score, judge=JUDGE, completion_id="published")
            await store.verdicts.write([VerdictBatch(header=header, verdicts=[verdict])])
    await store.runs.mark_ended(run.id, RunState.RUN_STATE_FINISHED)
    return run.id


async def test_the_board_shows_the_published_safety_scores_to_one_decimal(system: System) -> None:
    system.up()
    published = json.loads(PUBLISHED_SCORES.read_text())
    expected = published["site_safety_score_percent"]
    scores = {model: published["scores"][model] for model in expected}
    store = Store.connect(system.mongo_url)
    run = await store_published(store, scores, published["categories"])
    await store.close()
    result = subprocess.run(
        [sys.executable, "-m", "libra.cli", "--data", str(system.folder), "board", "--run", run, "--json"],
        capture_output=True,
        check=True,
    )
    rows = json.loads(result.stdout)["board"]["rows"]
    assert {row["model"]: round(100 * row["safety"]["value"], 1) for row in rows} == expected
