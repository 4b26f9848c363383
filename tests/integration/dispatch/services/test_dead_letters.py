"""Dead letters: listed, read and sent again."""

from __future__ import annotations

import json

from libra.bus.streams import WORK_ATTACK, dead_letter_subject
from libra.rpc.client import call
from libra.stage.bus import Outgoing
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch
from libra.v1.dead_letter_pb2 import GetDeadLetterRequest, ListDeadLettersRequest, ReplayDeadLetterRequest
from libra.v1.message_pb2 import Message

from .caller import SECONDS, Dispatch


async def test_dead_letters_are_read_and_sent_again(dispatch: Dispatch) -> None:
    batch = TrialBatch(header=BatchHeader(run="r"), trials=[Trial(messages=[Message(role="user", content="Hi ☕")])])
    headers = {"Libra-Reason": "for a test", "Libra-Subject": WORK_ATTACK, "Libra-Key": "k", "Libra-Attempts": "5"}
    for n, data in enumerate([batch.SerializeToString(), b"\xff\xff", b"third"]):
        await dispatch.bus.publish(Outgoing(dead_letter_subject("attack"), f"dead/{n}", data), headers)
    first = await call(dispatch.letters.ListDeadLetters, ListDeadLettersRequest(page_size=2), SECONDS)
    request = ListDeadLettersRequest(page_size=2, page_token=first.next_page_token)
    rest = await call(dispatch.letters.ListDeadLetters, request, SECONDS)
    letters = [*first.dead_letters, *rest.dead_letters]
    assert [letter.size_bytes for letter in letters] == [len(batch.SerializeToString()), 2, 5]
    assert rest.next_page_token == ""
    assert all((one.stage, one.reason, one.attempts) == ("attack", "for a test", 5) for one in letters)
    other = await call(dispatch.letters.ListDeadLetters, ListDeadLettersRequest(stage="judge"), SECONDS)
    assert other.dead_letters == []

    whole = [
        (await call(dispatch.letters.GetDeadLetter, GetDeadLetterRequest(id=letter.id), SECONDS)).dead_letter
        for letter in letters
    ]
    assert json.loads(whole[0].json)["header"] == {"run": "r"}
    assert (whole[1].data, whole[1].json) == (b"\xff\xff", "")

    replayed = await call(dispatch.letters.ReplayDeadLetter, ReplayDeadLetterRequest(id=letters[0].id), SECONDS)
    assert replayed.subject == WORK_ATTACK
    (delivery,) = await dispatch.bus.pull("attack", 1)
    assert TrialBatch.FromString(delivery.data) == batch
    await delivery.ack()
    left = await call(dispatch.letters.ListDeadLetters, ListDeadLettersRequest(), SECONDS)
    assert [letter.id for letter in left.dead_letters] == [letter.id for letter in letters[1:]]
