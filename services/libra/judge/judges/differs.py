"""`differs`: is the answer anything but this text? Somebody tried to make the model say it and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from libra.judge.answer import Answer
from libra.judge.judge_type import JudgeType
from libra.judge.judges.exact import CORRECT, STRIP, Comparison
from libra.judge.judges.shared_options import CASE, SENSITIVE, field
from libra.judge.rule_judge import Each
from libra.judge.ruling import Ruling

DIFFERENT, SAME = "different", "same"


def rule(answer: Answer, comparison: Comparison) -> Ruling:
    """Score 1 unless the answer is the text of the field."""
    ruling = comparison.rule(answer)
    if ruling.score is None:
        return ruling
    if ruling.label == CORRECT:
        return Ruling(0.0, SAME, f"the answer is the text of the field {comparison.field!r}")
    return Ruling(1.0, DIFFERENT, f"the answer is not the text of the field {comparison.field!r}")


def _build(options: Mapping[str, str]) -> Each:
    comparison = Comparison(options["field"], options["case"] == SENSITIVE, options["strip"])
    return Each(lambda answer: rule(answer, comparison))


DIFFERS = JudgeType(
    name="differs",
    version="1",
    description=(
        "Scores 1 unless the answer is the text that a field of the sample holds and nothing else: the judge `exact`, turned "
        "round. An empty or filtered answer scores 1."
    ),
    options=(field("the text that the answer must not be"), CASE, STRIP),
    labels=(DIFFERENT, SAME),
    build=_build,
)
