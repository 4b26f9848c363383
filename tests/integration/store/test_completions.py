from __future__ import annotations

import asyncio

from libra.local.servers import MongoServer
from libra.store.client import Store
from libra.v1.completion_pb2 import Completion, FinishReason, Usage
from libra.v1.message_pb2 import Message

MESSAGES = [Message(role="system"), Message(role="user", content="Is 7 odd? \U0001f40d \0")]


def completion(name: str, text: str = "Yes.") -> Completion:
    return Completion(
        id=name,
        text=text,
        finish_reason=FinishReason.FINISH_REASON_STOP,
        usage=Usage(prompt_tokens=7, completion_tokens=2),
        latency_seconds=0.25,
        cost_usd=0.001,
        attempts=2,
        model="one",
    )


async def test_a_completion_is_returned_with_the_messages_of_its_request(store: Store) -> None:
    stored = await store.completions.insert_or_get(completion("a"), MESSAGES)
    assert stored.HasField("create_time")
    assert await store.completions.get_many(["a", "b"]) == {"a": stored}
    assert await store.completions.get_messages(["a", "b"]) == {"a": MESSAGES}
    assert await store.completions.find_existing(["a", "b"]) == {"a"}
    assert await store.completions.get_many([]) == {}


async def test_the_first_completion_of_a_request_is_the_one_that_is_stored(store: Store) -> None:
    first = await store.completions.insert_or_get(completion("a", "Yes."))
    assert await store.completions.insert_or_get(completion("a", "No.")) == first


async def test_completions_of_one_request_in_one_group_are_stored_as_one(store: Store) -> None:
    inserts = [store.completions.insert_or_get(completion("a", f"answer {n}")) for n in range(20)]
    stored = await asyncio.gather(*inserts)
    assert len({one.text for one in stored}) == 1
    assert (await store.completions.get_many(["a"]))["a"] == stored[0]


async def test_two_writers_store_one_completion_for_each_request(
    store: Store, mongo_server: MongoServer, database: str
) -> None:
    other = Store.connect(mongo_server.url, database)
    inserts = [
        writer.completions.insert_or_get(completion(f"{n:03}", f"by {name}"))
        for n in range(200)
        for name, writer in (("one", store), ("other", other))
    ]
    stored = await asyncio.gather(*inserts)
    found = await store.completions.get_many([f"{n:03}" for n in range(200)])
    assert len(found) == 200
    assert all(found[one.id] == one for one in stored)
    await other.close()


async def test_an_error_is_returned_and_not_stored(store: Store) -> None:
    error = Completion(id="a", finish_reason=FinishReason.FINISH_REASON_ERROR, error="no answer within 120 s")
    assert await store.completions.insert_or_get(error) == error
    assert await store.completions.find_existing(["a"]) == set()


async def test_long_completions_are_stored_whole(store: Store) -> None:
    text, messages = "x" * 1024 * 1024, [Message(role="user", content="y" * 2 * 1024 * 1024)]
    stored = await asyncio.gather(
        *(store.completions.insert_or_get(completion(f"{n}", text), messages) for n in range(20))
    )
    assert all(one.text == text for one in stored)
    assert await store.completions.get_messages(["19"]) == {"19": messages}
