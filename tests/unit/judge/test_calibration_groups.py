from __future__ import annotations

import pytest

from libra.judge.calibration.calibration import calibrate
from libra.judge.judge_type import JudgeModelReply
from libra.v1.calibration_pb2 import Calibration
from libra.v1.judge_pb2 import LabelledAnswer
from libra.v1.task_pb2 import JudgeSpec

from .judge_models import FakeJudgeModels, scored
from .judge_runner import no_judge_model
from .test_calibration import NO, REFUSAL, YES, labelled

MODEL_JUDGE = JudgeSpec(name="model", options={"rubric": "Is it kind?", "model": "m"})


async def calibrated(answers: list[LabelledAnswer]) -> Calibration:
    return (await calibrate(REFUSAL, answers, "", no_judge_model)).calibration


async def test_each_value_of_model_and_language_has_its_own_rates() -> None:
    answers = [
        *[labelled(NO, positive=True, model="a", language="en")] * 15,
        *[labelled(YES, positive=False, model="a", language="de")] * 10,
        *[labelled(NO, positive=False, model="b", language="en")] * 5,
        labelled("", positive=False, model="b"),
        labelled(NO, positive=True, other="x"),
    ]
    got = await calibrated(answers)
    sizes = [(each.field, each.value, each.few, each.unjudged) for each in got.groups]
    assert sizes == [
        ("model", "a", False, 0),
        ("model", "b", True, 1),
        ("language", "en", False, 0),
        ("language", "de", True, 0),
    ]
    a, b, en, de = got.groups
    assert (a.accuracy.value, a.recall.value, a.specificity.value) == (1, 1, 1)
    assert a.recall.low < 1
    assert (b.false_positives, b.specificity.value, b.HasField("recall")) == (5, 0, False)
    assert en.accuracy.value == pytest.approx(15 / 20)
    assert de.true_negatives == 10


async def test_labels_without_these_columns_have_no_groups() -> None:
    assert not (await calibrated([labelled(NO, positive=True, topic="x", model=" ")])).groups


async def test_the_groups_add_up_to_the_whole() -> None:
    answers = [
        labelled(NO if place % 3 else YES, positive=place % 2 == 0, model=f"m{place % 5}") for place in range(101)
    ]
    got = await calibrated(answers)
    for name in ("true_positives", "false_positives", "true_negatives", "false_negatives"):
        assert sum(getattr(each, name) for each in got.groups) == getattr(got, name)


async def test_the_decisions_are_kept_in_order() -> None:
    models = FakeJudgeModels(
        lambda _, prompt, __: JudgeModelReply("", "429") if "hard" in prompt else scored(float("kind" in prompt))
    )
    answers = [labelled(text, positive=True) for text in ("kind", "rude", "hard", "so kind")]
    spec = JudgeSpec(name="model", options={"rubric": "Is it good?", "model": "m"})
    assert (await calibrate(spec, answers, "", models)).calibration.decisions == "10-1"


async def test_a_judge_that_always_says_the_same_agrees_with_itself() -> None:
    models = FakeJudgeModels(lambda _, prompt, __: scored(float("\nyes\n" in prompt)))
    answers = [labelled(text, positive=True) for text in ("yes", "no", "yes")]
    got = (await calibrate(MODEL_JUDGE, answers, "", models, repeats=3)).calibration.self_agreement
    assert (got.repeats, got.answers, got.unjudged, got.equal.value, got.alpha) == (3, 3, 0, 1, 1)


async def test_every_repeat_is_asked_in_epochs_of_its_own_and_differences_are_counted() -> None:
    epochs: list[int] = []

    def reply(model: str, prompt: str, epoch: int) -> JudgeModelReply:
        epochs.append(epoch)
        if "unclear" in prompt:
            return JudgeModelReply("well...") if epoch % 2 == 0 else scored(1)
        if "lost" in prompt and epoch >= 4:
            return JudgeModelReply("", "gone")
        return scored(float("\nyes\n" in prompt or ("unsure" in prompt and epoch >= 2)))

    texts = ("yes", "no", "unsure", "unclear", "lost")
    answers = [labelled(text, positive=True) for text in texts]
    response = await calibrate(MODEL_JUDGE, answers, "", FakeJudgeModels(reply), repeats=3)
    got = response.calibration.self_agreement
    assert set(epochs) == {0, 1, 2, 3, 4, 5}
    assert (got.repeats, got.answers, got.unjudged) == (3, 4, 1)
    assert got.equal.value == pytest.approx(3 / 4)
    assert got.equal.low < 0.75 < got.equal.high
    assert 0 < got.alpha < 1
    assert response.calibration.decisions == "10010"


async def test_repeats_with_equal_labels_have_no_alpha() -> None:
    models = FakeJudgeModels(lambda *_: scored(1))
    got = (await calibrate(MODEL_JUDGE, [labelled("x", positive=True)], "", models, repeats=2)).calibration
    assert got.self_agreement.equal.value == 1
    assert not got.self_agreement.HasField("alpha")
    once = (await calibrate(MODEL_JUDGE, [labelled("x", positive=True)], "", models)).calibration
    assert not once.HasField("self_agreement")
