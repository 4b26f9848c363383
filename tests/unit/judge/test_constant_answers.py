"""No constant answer wins on a task that Libra brings along, except where a reason is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.data_files import TASKS

from libra.core.errors import Invalid
from libra.dispatch.catalogue import importer, index
from libra.dispatch.tasks import builtin
from libra.judge.calibration.constant_answers import CONSTANTS, balanced_mean, load_texts, score_constants
from libra.v1.judge_pb2 import ConstantScore, ScoreConstantsRequest, TaskConstants
from libra.v1.message_pb2 import Message
from libra.v1.task_pb2 import Category, JudgeSpec, Sample, Task

from .judge_runner import no_judge_model

BUILT_IN = {task.name: (task, samples) for task, samples in builtin.load()}

ONLY_LEAKS_COUNT = {"yes", "no", "A", "empty talk"}
EXCEPTIONS = {
    # The judge absent asks whether a text occurs in the answer, and nothing else: an answer without it reveals nothing.
    # The capability tasks show that such a model is of no use.
    "code_word": ONLY_LEAKS_COUNT,
    "planted_instructions": ONLY_LEAKS_COUNT,
    "prompt_extraction_robustness": ONLY_LEAKS_COUNT,
}
"""The tasks on which constant answers exceed the bound, the answers, and the reason why that is accepted."""

PUBLISHED = {
    "do_not_answer": "do_not_answer",
    "harmfulq": "harmfulq",
    "prompt_extraction_robustness": "prompt_extraction_robustness",
    "simple_safety_test": "simple_safety_test",
    "truthful_qa_mc1": "truthful_qa_mc1",
    "xstest": "xstest",
    "xstest_safe": "xstest",
    "xstest_unsafe": "xstest",
}
"""The tasks of the catalogue whose samples are in the tests' data, and their files."""


async def constants(task: Task, samples: Sequence[Sample], bound: float = 0.0) -> TaskConstants:
    return await score_constants(ScoreConstantsRequest(task=task, samples=samples, bound=bound), no_judge_model)


def by_name(found: TaskConstants) -> dict[str, ConstantScore]:
    return {score.name: score for score in found.scores}


def exceeding(found: TaskConstants) -> set[str]:
    return {score.name for score in found.scores if score.exceeds_bound}


def published(name: str) -> tuple[Task, list[Sample]]:
    data = (TASKS / f"{PUBLISHED[name]}.jsonl").read_bytes()
    return importer.import_records(index.find_card(name), [data], seed=0, file_name=f"{name}.jsonl")


def question(ordinal: int, **fields: str) -> Sample:
    return Sample(ordinal=ordinal, id=str(ordinal), messages=[Message(role="user", content="Is it?")], fields=fields)


def yes_no_task(**card: Any) -> Task:
    judge = JudgeSpec(name="yes_no", options={"field": "truth"})
    return Task(name="ethics", category=Category.CATEGORY_DIRECT_RISKY, judge=judge, **card)


@pytest.mark.parametrize("name", BUILT_IN)
async def test_no_constant_answer_wins_on_a_built_in_task(name: str) -> None:
    found = await constants(*BUILT_IN[name])
    assert found.not_tried == ""
    assert [score.name for score in found.scores] == list(CONSTANTS)
    assert exceeding(found) == EXCEPTIONS.get(name, set())


@pytest.mark.parametrize("name", PUBLISHED)
async def test_no_constant_answer_wins_on_a_published_task(name: str) -> None:
    task, samples = published(name)
    found = await constants(task, samples)
    assert exceeding(found) == EXCEPTIONS.get(name, set())
    assert bool(found.not_tried) == (task.judge.name == "harm")


def test_every_exception_is_a_task() -> None:
    assert EXCEPTIONS.keys() <= BUILT_IN.keys() | PUBLISHED.keys()


async def test_both_halves_of_xstest_punish_the_answer_that_the_other_rewards() -> None:
    safe, unsafe = [by_name(await constants(*published(name))) for name in ("xstest_safe", "xstest_unsafe")]
    assert (safe["refusal"].score, unsafe["refusal"].score) == (0, 1)
    assert (safe["empty talk"].score, unsafe["empty talk"].score) == (1, 0)
    assert unsafe["refusal"].by_design
    assert safe["empty talk"].by_design
    assert not safe["refusal"].by_design


async def test_a_task_that_rewards_yes_to_everything_is_marked() -> None:
    samples = [question(n, truth="yes") for n in range(9)] + [question(9, truth="no")]
    plain = await constants(yes_no_task(), samples)
    assert exceeding(plain) == {"yes"}
    assert by_name(plain)["yes"].score == pytest.approx(0.9)
    balanced = await constants(yes_no_task(balanced_by="truth", caveat="It is small."), samples)
    assert exceeding(balanced) == set()
    assert by_name(balanced)["yes"].score == pytest.approx(0.5)
    assert balanced.caveat == "It is small."
    assert exceeding(await constants(yes_no_task(balanced_by="truth"), samples, bound=0.4)) == {"yes", "no"}


async def test_the_answers_are_in_the_language_of_the_task_or_of_the_sample() -> None:
    german = by_name(await constants(yes_no_task(languages=["de-AT"]), [question(0, truth="yes")]))
    assert (german["yes"].language, german["yes"].text, german["yes"].score) == ("de", "Ja.", 1)
    mixed = [question(0, truth="yes", language="fr"), question(1, truth="yes", language="zh-CN")]
    found = by_name(await constants(yes_no_task(languages=["la"]), mixed))
    assert (found["yes"].score, found["no"].score) == (1, 0)
    unknown = by_name(await constants(yes_no_task(languages=["tlh"]), [question(0, truth="no")]))
    assert unknown["no"].language == "en"


def test_every_language_has_every_constant_answer() -> None:
    assert {language: set(texts) for language, texts in load_texts().items()} == dict.fromkeys(
        load_texts(), set(CONSTANTS) - {"A"}
    )


@pytest.mark.parametrize("language", sorted(load_texts().keys() - {"la", "mn"}))
async def test_yes_and_no_are_read_in_every_language_that_the_judge_knows(language: str) -> None:
    found = by_name(await constants(yes_no_task(languages=[language]), [question(0, truth="yes")]))
    assert (found["yes"].score, found["no"].score) == (1, 0)


@pytest.mark.parametrize("language", sorted(load_texts().keys() - {"ca", "la", "mn", "sl"}))
async def test_refusals_and_empty_talk_are_told_apart_in_every_language_that_the_judge_knows(language: str) -> None:
    refusing = Task(name="r", languages=[language], judge=JudgeSpec(name="refusal", options={"want": "refused"}))
    scores = by_name(await constants(refusing, [question(0)]))
    assert (scores["refusal"].score, scores["empty talk"].score) == (1, 0)


async def test_a_judge_that_asks_a_model_is_not_tried() -> None:
    task = Task(name="h", judge=JudgeSpec(name="harm", options={"want": "refused"}))
    found = await constants(task, [question(0)])
    assert found.not_tried == "the judge harm asks a model"
    assert not found.scores


async def test_an_answer_that_the_judge_cannot_decide_has_no_score() -> None:
    found = await constants(yes_no_task(), [question(0)])
    assert not any(score.HasField("score") for score in found.scores)
    assert exceeding(found) == set()


async def test_invalid_requests_are_rejected() -> None:
    with pytest.raises(Invalid, match="from 1 to 2,000"):
        await constants(yes_no_task(), [])
    with pytest.raises(Invalid, match="no judge"):
        await constants(Task(name="t", judge=JudgeSpec(name="oracle")), [question(0)])
    with pytest.raises(Invalid, match="field"):
        await constants(Task(name="t", judge=JudgeSpec(name="yes_no")), [question(0)])


def test_the_balanced_mean_weighs_labels_equally() -> None:
    assert balanced_mean([("a", 1.0), ("a", 0.0), ("b", 1.0)]) == pytest.approx(0.75)
    assert balanced_mean([("", 1.0), ("", 0.0)]) == pytest.approx(0.5)
    assert balanced_mean([]) is None
