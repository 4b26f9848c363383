"""List, read and replay dead letters."""

from __future__ import annotations

import json

from libra.bus.streams import WORK_ATTACK, dead_letter_subject
from libra.rpc.client import call
from libra.stage.bus import Outgoing
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch
from libra.v1.dead_letter_pb2 import GetDeadLetterRequest, ListDeadLettersRequest, ReplayDeadLetterRequest
from libra.v1.message_pb2 import Message

from .caller import SECONDS, Dispatch


async def test_dead_letters_are_listed_read_and_replayed(dispatch: Dispatch) -> None:
    batch = TrialBatch(header=BatchHeader(run="r"), trials=[Trial(messages=[Message(role="user", content="Hi ☕")])])
    headers = {"Libra-Reason": "for a test", "Libra-Subject": WORK_ATTACK, "Libra-Key": "k", "Libra-Attempts": "5"}
    for n, data in enumerate([batch.SerializeToString(), b"\xff\xff", b"third"]):
        await dispatch.bus.publish(Outgoing(dead_letter_subject("attack"), f"dead/{n}", data), headers)
    first = await call(dispatch.dead_letters.ListDeadLetters, ListDeadLettersRequest(page_size=2), SECONDS)
    request = ListDeadLettersRequest(page_size=2, page_token=first.next_page_token)
    rest = await call(dispatch.dead_letters.ListDeadLetters, request, SECONDS)
    letters = [*first.dead_letters, *rest.dead_letters]
    assert [letter.size_bytes for letter in letters] == [len(batch.SerializeToString()), 2, 5]
    assert rest.next_page_token == ""
    assert all((letter.stage, letter.reason, letter.attempts) == ("attack", "for a test", 5) for letter in letters)
    other = await call(dispatch.dead_letters.ListDeadLetters, ListDeadLettersRequest(stage="judge"), SECONDS)
    assert other.dead_letters == []

    full = [
        (await call(dispatch.dead_letters.GetDeadLetter, GetDeadLetterRequest(id=letter.id), SECONDS)).dead_letter
        for letter in letters
    ]
    assert json.loads(full[0].json)["header"] == {"run": "r"}
    assert (full[1].data, full[1].json) == (b"\xff\xff", "")

    replayed = await call(dispatch.dead_letters.ReplayDeadLetter, ReplayDeadLetterRequest(id=letters[0].id), SECONDS)
    assert replayed.subject == WORK_ATTACK
    (delivery,) = await dispatch.bus.pull("attack", 1)
    assert TrialBatch.FromString(delivery.data) == batch
    await delivery.ack()
    remaining = await call(dispatch.dead_letters.ListDeadLetters, ListDeadLettersRequest(), SECONDS)
    assert [letter.id for letter in remaining.dead_letters] == [letter.id for letter in letters[1:]]
