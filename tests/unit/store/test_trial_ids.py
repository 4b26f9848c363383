from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.store.documents import trial_ids

RUN = "01JZ0000000000000000000000"
names = st.from_regex(r"[a-z0-9_.-]{1,8}", fullmatch=True)
tasks = st.builds("{}@{}".format, names, st.from_regex(r"[0-9a-f]{4}", fullmatch=True))
trials = st.builds(
    trial_ids.TrialId,
    st.just(RUN),
    st.integers(0, 3),
    names,
    tasks,
    names,
    st.integers(0, 99_999_999),
    st.integers(0, 9_999),
)


@given(trials)
def test_an_id_is_parsed_to_its_parts(trial: trial_ids.TrialId) -> None:
    assert trial_ids.parse_verdict_id(str(trial)) == trial


@given(trials, trials)
def test_ids_sort_in_the_order_of_trials(one: trial_ids.TrialId, other: trial_ids.TrialId) -> None:
    same_cell = trial_ids.TrialId(one.run, one.judging, one.model, one.task, one.attack, other.sample, other.epoch)
    assert (str(one) < str(same_cell)) == ((one.sample, one.epoch) < (same_cell.sample, same_cell.epoch))


@given(
    trial=trials,
    wanted=trials,
    task=st.sampled_from(["", "name", "ref"]),
    by_model=st.booleans(),
    by_attack=st.booleans(),
)
def test_the_prefix_and_the_pattern_together_select_exactly_the_wanted_ids(
    *,
    trial: trial_ids.TrialId,
    wanted: trial_ids.TrialId,
    task: str,
    by_model: bool,
    by_attack: bool,
) -> None:
    name = {"": "", "name": wanted.task.partition("@")[0], "ref": wanted.task}[task]
    parts = (wanted.model if by_model else "", name, wanted.attack if by_attack else "")
    prefix = trial_ids.verdict_prefix(RUN, wanted.judging, *parts)
    in_range = prefix < str(trial) < trial_ids.after_prefix(prefix)
    matches = bool(re.match(trial_ids.verdict_pattern(RUN, wanted.judging, *parts), str(trial)))
    selected = (
        trial.judging == wanted.judging
        and trial.model in {parts[0], trial.model if not parts[0] else ""}
        and (not name or name in {trial.task, trial.task.partition("@")[0]})
        and (not parts[2] or trial.attack == parts[2])
    )
    assert (in_range and matches) == selected
    assert in_range or not selected


def test_text_that_is_not_an_id_is_rejected() -> None:
    with pytest.raises(ValueError, match="3 parts instead of 7"):
        trial_ids.parse_verdict_id("a/b/c")
