from __future__ import annotations

from libra.dispatch.scheduling.prompt_source import trial_batches
from libra.dispatch.scheduling.publisher import batch_header, failed_batches
from libra.store.runs import RunSection
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.run_pb2 import Run, RunSpec
from libra.v1.task_pb2 import Category, JudgeSpec, Sample
from libra.v1.verdict_pb2 import Outcome

JUDGE = JudgeSpec(name="exact", options={"field": "answer"})
SECTION = RunSection("task@0", "few_shots", Category.CATEGORY_ADVERSARIAL, 300, JUDGE)
RUN = Run(
    id="run",
    spec=RunSpec(
        seed=7,
        fresh=True,
        parameters=GenerationParameters(temperature=0, max_tokens=9),
        attack_model="writer",
        judge_model="judge-1",
    ),
)
HEADER = batch_header(RUN, SECTION, "a.model", sending=3)


def test_a_header_has_all_that_the_stages_need() -> None:
    assert (HEADER.run, HEADER.model, HEADER.task, HEADER.attack) == ("run", "a.model", "task@0", "few_shots")
    assert (HEADER.category, HEADER.seed, HEADER.fresh) == (Category.CATEGORY_ADVERSARIAL, 7, True)
    assert HEADER.sending == 3
    assert HEADER.parameters.HasField("temperature")
    assert HEADER.judge == JUDGE


def test_only_the_header_of_attacked_trials_names_the_models_of_the_attack() -> None:
    assert (HEADER.attack_model, HEADER.attack_judge_model) == ("writer", "judge-1")
    plain = batch_header(RUN, RunSection("task@0", "none", Category.CATEGORY_DIRECT_RISKY, 3), "a.model", sending=0)
    assert (plain.attack_model, plain.attack_judge_model) == ("", "")


def test_trials_are_batched_in_order_with_their_samples() -> None:
    samples = [
        Sample(ordinal=n, messages=[Message(role="user", content=str(n))], fields={"answer": str(n)})
        for n in range(150)
    ]
    batches = trial_batches(HEADER, samples, [n % 2 for n in range(150)])
    assert [len(batch.trials) for batch in batches] == [64, 64, 22]
    trials = [trial for batch in batches for trial in batch.trials]
    assert [(trial.sample, trial.epoch) for trial in trials] == [(n, n % 2) for n in range(150)]
    assert all(trial.messages[0].content == trial.fields["answer"] == str(trial.sample) for trial in trials)
    assert all(batch.header == HEADER for batch in batches)


def test_trials_that_are_given_up_fail_with_the_reason() -> None:
    batches = failed_batches(HEADER, [(n, 1) for n in range(70)], "no verdict")
    verdicts = [verdict for batch in batches for verdict in batch.verdicts]
    assert [(verdict.sample, verdict.epoch) for verdict in verdicts] == [(n, 1) for n in range(70)]
    assert {verdict.outcome for verdict in verdicts} == {Outcome.OUTCOME_FAILED}
    assert {verdict.rationale for verdict in verdicts} == {"no verdict"}
