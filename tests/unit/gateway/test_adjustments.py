"""Adjustments that a model's endpoint needs: one request finds them, later ones use them."""

from __future__ import annotations

from typing import Any

from libra.gateway.adjustments.learned import (
    MAX_ADJUSTMENTS_PER_REQUEST,
    MAX_CHANGES,
    LearnedAdjustments,
    RequestAdjuster,
)
from libra.gateway.provider.applied_adjustments import with_adjustments
from libra.gateway.provider.request import CompletionRequest
from libra.v1.completion_pb2 import Adjustment, GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, RequestOptions, SystemRole

USER, SYSTEM = Message(role="user", content="hello"), Message(role="system", content="be brief")
EVERYTHING = {
    "temperature": "",
    "top_p": "temperature",
    "seed": "",
    "top_k": "",
    "stop": "",
    "json_schema": "json_object",
    "reasoning_effort": "",
    "max_tokens": "max_completion_tokens",
    "system": "merged",
    "alternation": "merged",
}


def request(*messages: Message, options: RequestOptions | None = None, **parameters: Any) -> CompletionRequest:
    shape = GenerationParameters(**parameters)
    return CompletionRequest(Model(name="m", options=options), shape, messages or (USER,))


def names(adjusted: CompletionRequest) -> list[str]:
    return [parameter for parameter, _ in adjusted.adjustments]


def test_only_what_changes_a_request_is_applied_to_it() -> None:
    assert names(with_adjustments(request(), EVERYTHING)) == ["max_tokens"]
    assert names(with_adjustments(request(temperature=0, seed=1), EVERYTHING)) == ["max_tokens", "seed", "temperature"]
    assert names(with_adjustments(request(SYSTEM, USER, USER), EVERYTHING)) == ["alternation", "max_tokens", "system"]
    options = RequestOptions(stop=["x"], token_limit_name="n", system_role=SystemRole.SYSTEM_ROLE_SYSTEM)
    assert names(with_adjustments(request(SYSTEM, USER, options=options), EVERYTHING)) == ["stop"]
    assert with_adjustments(request(), {}).adjustments == ()


def test_of_two_parameters_that_exclude_each_other_one_alone_is_sent() -> None:
    learned = {"top_p": "temperature"}
    assert with_adjustments(request(temperature=0, top_p=0.5), learned).sampling() == {"temperature": 0}
    assert with_adjustments(request(top_p=0.5), learned).sampling() == {"top_p": 0.5}
    assert with_adjustments(request(temperature=0, top_p=0.5), learned | {"temperature": ""}).sampling() == {
        "top_p": 0.5
    }


def test_nothing_is_remembered_before_the_endpoint_has_answered() -> None:
    learned = LearnedAdjustments()
    adjuster = RequestAdjuster(learned)
    first = adjuster.adjust(request(temperature=0), Adjustment(parameter="temperature", words="no"))
    assert first is not None
    assert first.sampling() == {}
    assert learned.list() == []
    assert [each.parameter for each in adjuster.confirm()] == ["temperature"]
    assert [(each.parameter, each.words) for each in learned.list()] == [("temperature", "no")]
    assert learned.list()[0].HasField("learn_time")
    assert adjuster.confirm() == []


def test_a_step_is_tried_once_and_an_endpoint_that_lies_cannot_loop() -> None:
    adjuster = RequestAdjuster(LearnedAdjustments())
    asked = request(temperature=0)
    adjusted = adjuster.adjust(asked, Adjustment(parameter="temperature"))
    assert adjusted is not None
    assert adjuster.adjust(adjusted, Adjustment(parameter="temperature")) is None
    assert adjuster.adjust(adjusted, Adjustment(parameter="seed")) is None  # it is not sent
    current: CompletionRequest | None = adjusted
    steps = 0
    while current is not None and steps < 99:
        current = adjuster.adjust(current, Adjustment(parameter="max_tokens", replacement=f"name{steps}"))
        steps += 1
    assert steps <= MAX_ADJUSTMENTS_PER_REQUEST


def test_a_request_that_was_sent_earlier_does_not_undo_what_later_ones_learned() -> None:
    learned = LearnedAdjustments()
    early, late = RequestAdjuster(learned), RequestAdjuster(learned)
    schema = request(json_schema="{}")
    for adjuster, steps in ((late, ["json_object", ""]), (early, ["json_object"])):
        for step in steps:
            adjuster.adjust(schema, Adjustment(parameter="json_schema", replacement=step))
    assert late.confirm()
    assert early.confirm() == []
    assert learned.replacements == {"json_schema": ""}


def test_of_two_replicas_the_later_one_counts() -> None:
    older, newer = (Adjustment(parameter="json_schema", replacement=name) for name in ("json_object", ""))
    older.learn_time.FromSeconds(1)
    newer.learn_time.FromSeconds(2)
    learned = LearnedAdjustments()
    for stored in ([newer], [older]):
        learned.merge(stored)
        assert learned.replacements == {"json_schema": ""}


def test_servers_that_contradict_each_other_change_the_memory_a_bounded_number_of_times() -> None:
    learned = LearnedAdjustments()
    for number in range(3 * MAX_CHANGES):
        adjuster = RequestAdjuster(learned)
        adjuster.adjust(request(), Adjustment(parameter="max_tokens", replacement=f"name{number % 2}"))
        adjuster.confirm()
    assert learned._changes == MAX_CHANGES
