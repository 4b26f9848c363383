from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from libra.bus import streams

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(name=names)
def test_a_name_is_encoded_as_one_token_and_decoded(name: str) -> None:
    token = streams.encode_token(name)
    assert re.fullmatch(r"[A-Za-z0-9_=-]+", token)
    assert streams.decode_token(token) == name


@given(one=names, other=names)
def test_two_models_never_share_a_queue(one: str, other: str) -> None:
    assert (streams.work_gateway(one) == streams.work_gateway(other)) == (one == other)


@given(model=names)
def test_a_gateways_consumer_reads_its_models_subject(model: str) -> None:
    consumer = streams.gateway_consumer(model)
    config = streams.consumer_config(consumer)
    assert config.filter_subject == streams.work_gateway(model)
    assert config.durable_name == consumer
    assert streams.model_of(consumer) == model


def test_the_names_are_stable() -> None:
    assert streams.work_gateway("gpt-4.1") == "work.gateway.gpt-4=2E1"
    assert streams.gateway_consumer("gpt-4.1") == "gateway-gpt-4=2E1"
    assert [streams.consumer_config(consumer).filter_subject for consumer in streams.FIXED_CONSUMERS] == [
        streams.WORK_ATTACK,
        streams.WORK_WRITING,
        streams.WORK_JUDGE,
        streams.WORK_RANKING,
    ]
    assert streams.dead_letter_subject("judge") == "dead.judge"
    assert streams.model_of("judge") == ""


def test_every_consumer_has_the_measured_settings() -> None:
    config = streams.consumer_config("judge")
    assert config.backoff is None
    assert config.max_deliver == -1
    assert config.ack_wait == 30.0
    assert streams.consumer_config("judge", 7.5).ack_wait == 7.5
    assert (config.max_ack_pending or 0) >= streams.MAX_MESSAGES_PER_SUBJECT
