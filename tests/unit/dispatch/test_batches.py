from __future__ import annotations

from libra.dispatch.scheduling.batches import failed_batches, header, trial_batches
from libra.store.runs import RunSection
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.run_pb2 import Run, RunSpec
from libra.v1.task_pb2 import Category, JudgeSpec, Sample
from libra.v1.verdict_pb2 import Outcome

JUDGE = JudgeSpec(name="exact", options={"field": "answer"})
SECTION = RunSection("task@0", "few_shots", Category.CATEGORY_ADVERSARIAL, 300, JUDGE)
RUN = Run(id="run", spec=RunSpec(seed=7, fresh=True, parameters=GenerationParameters(temperature=0, max_tokens=9)))
HEAD = header(RUN, SECTION, "a.model", sending=3)


def test_a_header_says_all_that_the_stages_need() -> None:
    assert (HEAD.run, HEAD.model, HEAD.task, HEAD.attack) == ("run", "a.model", "task@0", "few_shots")
    assert (HEAD.category, HEAD.seed, HEAD.fresh, HEAD.sending) == (Category.CATEGORY_ADVERSARIAL, 7, True, 3)
    assert HEAD.parameters.HasField("temperature")
    assert HEAD.judge == JUDGE


def test_trials_are_batched_in_order_with_their_samples() -> None:
    samples = [
        Sample(ordinal=n, messages=[Message(role="user", content=str(n))], fields={"answer": str(n)})
        for n in range(150)
    ]
    batches = trial_batches(HEAD, samples, [n % 2 for n in range(150)])
    assert [len(batch.trials) for batch in batches] == [64, 64, 22]
    trials = [trial for batch in batches for trial in batch.trials]
    assert [(trial.sample, trial.epoch) for trial in trials] == [(n, n % 2) for n in range(150)]
    assert all(trial.messages[0].content == trial.fields["answer"] == str(trial.sample) for trial in trials)
    assert all(batch.header == HEAD for batch in batches)


def test_what_is_given_up_failed_for_a_reason() -> None:
    batches = failed_batches(HEAD, [(n, 1) for n in range(70)], "nobody answered")
    verdicts = [verdict for batch in batches for verdict in batch.verdicts]
    assert [(verdict.sample, verdict.epoch) for verdict in verdicts] == [(n, 1) for n in range(70)]
    assert {verdict.outcome for verdict in verdicts} == {Outcome.OUTCOME_FAILED}
    assert {verdict.rationale for verdict in verdicts} == {"nobody answered"}
