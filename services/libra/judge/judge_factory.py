"""Build a judge from its type and its options, and compute the hash that identifies the pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from libra.judge.judge_type import AnswerJudge, JudgeType
from libra.judge.options import checked_options, hash_of_options


@dataclass(frozen=True, slots=True)
class ConfiguredJudge:
    """A judge with its options set, and its identity."""

    judge_type: JudgeType
    answer_judge: AnswerJudge
    rubric_hash: str

    model_names: tuple[str, ...]
    """The models that the judge asks, by their registered names."""


def build_judge(judge_type: JudgeType, given: Mapping[str, str]) -> ConfiguredJudge:
    """Return a judge with these options; raise Invalid, naming the option, if a value is missing or not allowed.

    Options of other names are ignored: a run may replace the judge of a card and keep the card's options.
    """
    options = checked_options(judge_type.name, judge_type.options, given)
    return ConfiguredJudge(
        judge_type=judge_type,
        answer_judge=judge_type.build(options),
        rubric_hash=rubric_hash_of(judge_type, options),
        model_names=judge_type.model_names(options),
    )


def rubric_hash_of(judge_type: JudgeType, given: Mapping[str, str]) -> str:
    """Return the hash of a judge's options, valid or not.

    The versions of a judge's delegates are part of the hash, because the judge changes when they do. Empty values are
    left out, so that a new option of a judge does not change the hashes of earlier judges.
    """
    options = {option.name: given.get(option.name, option.default) for option in judge_type.options}
    set_options = {name: value for name, value in options.items() if value}
    versions = {f"version of {delegate.name}": delegate.version for delegate in judge_type.delegates(options)}
    return hash_of_options(set_options | versions)
