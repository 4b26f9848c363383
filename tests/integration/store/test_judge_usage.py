from __future__ import annotations

from tests.integration.support.ranking_world import batch, create_run, section

from libra.store.client import Store
from libra.store.sums.judge_usage import JudgeUsageSums
from libra.v1.batch_pb2 import JudgeUsage, VerdictBatch

PLAIN, ATTACKED = section("harm@1", 4), section("harm@1", 4, attack="pair")
HOSTILE = "a.b$c/ %2E"


def with_usage(made: VerdictBatch, trials: int, *usage: JudgeUsage) -> VerdictBatch:
    made.judged_trials = trials
    made.judge_usage.extend(usage)
    return made


async def test_usage_is_added_up_by_cell_and_counts_once_for_verdicts_that_are_written_again(store: Store) -> None:
    run = await create_run(store, [PLAIN, ATTACKED])
    one = JudgeUsage(model="judge-1.5", requests=2, prompt_tokens=100, completion_tokens=10)
    other = JudgeUsage(model=HOSTILE, requests=1, prompt_tokens=7, unknown_usage=1)
    first = with_usage(batch(run, PLAIN, [1, 0]), 2, one)
    for _ in range(2):  # the second time all verdicts are duplicates
        await store.verdicts.write([first])
    await store.verdicts.write([with_usage(batch(run, PLAIN, [1, 0], first=2), 2, one, other)])
    await store.verdicts.write([with_usage(batch(run, ATTACKED, [1]), 1), batch(run, section("rule@1", 1), [1])])
    found = await store.judge_usage.load(run, ["harm@1", "rule@1"])
    assert found == {
        ("one", "harm@1", "none"): JudgeUsageSums(
            4,
            {
                "judge-1.5": JudgeUsage(model="judge-1.5", requests=4, prompt_tokens=200, completion_tokens=20),
                HOSTILE: other,
            },
        ),
        ("one", "harm@1", "pair"): JudgeUsageSums(1),
    }
    assert [sums.is_known for sums in found.values()] == [False, True]
    assert await store.judge_usage.load(run, ["other@1"]) == {}
    assert [cell.n for cell in await store.cells.list_for_runs([run])] == [4, 1, 1]
