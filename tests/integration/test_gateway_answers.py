"""Whatever a provider does, a question ends as one answer or one reason, over real HTTP and a real mongod."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from libra.errors import Unavailable
from libra.gateway.desk import Desk
from libra.gateway.limiter import Lane
from libra.gateway.question import Question
from libra.gateway.settings import Settings
from libra.local.servers import MongoServer
from libra.store.client import Store, StoreSettings
from libra.telemetry.metrics import Metrics
from libra.testing.provider import (
    Asked,
    Behaviour,
    Script,
    ScriptedProvider,
    broken_off,
    filtered,
    filters_the_prompt,
    hangs,
    huge,
    in_turn,
    nothing,
    refuses,
    says,
    slow_down,
    truncated,
    web_page,
)
from libra.v1.completion_pb2 import Completion, FinishReason, GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits, ModelPrice, Provider

KEY = "sk-test-7c1f0a9be24d4c5fa1"
FAST = Settings(
    retry_attempts=3,
    retry_timeouts=2,
    retry_base_seconds=0.01,
    retry_most_seconds=0.02,
    retry_budget_seconds=0.5,
    retry_after_most_seconds=5.0,
)
STOP = FinishReason.FINISH_REASON_STOP
ERROR = FinishReason.FINISH_REASON_ERROR
FILTER = FinishReason.FINISH_REASON_CONTENT_FILTER


@dataclass
class Endpoint:
    """A provider whose script can be changed while it serves."""

    script: Script = field(default_factory=lambda: in_turn(says("yes")))
    provider: ScriptedProvider = field(init=False)
    since: int = 0
    """Requests that came before the script was set."""

    def __post_init__(self) -> None:
        self.provider = ScriptedProvider(lambda asked: self.script(replace(asked, number=asked.number - self.since)))

    def play(self, *behaviours: Behaviour) -> None:
        self.follow(in_turn(*behaviours))

    def follow(self, script: Script) -> None:
        self.script, self.since = script, self.count

    @property
    def url(self) -> str:
        return self.provider.url

    @property
    def count(self) -> int:
        return self.provider.count

    @property
    def arrivals(self) -> list[float]:
        return [asked.at_seconds for asked in self.provider.asked]


def answers(body: bytes, status: int = 200, **headers: str) -> Behaviour:
    return Behaviour(body, status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint()
    async with made.provider:
        yield made


@pytest.fixture
async def store(mongo_server: MongoServer, database: str) -> AsyncIterator[Store]:
    """Without its indexes: an answer is found by its name, and half of the time of these tests would go into them."""
    opened = Store.connect(mongo_server.url, database)
    yield opened
    await opened.close()


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    made = Desk.laid(store, Metrics(CollectorRegistry()), FAST, {"TEST_KEY": KEY})
    yield made
    await made.close(0)


def model(endpoint: Endpoint, **limits: float) -> Model:
    return Model(
        name="m",
        provider=Provider.PROVIDER_OPENAI,
        base_url=endpoint.url,
        api_key_env="TEST_KEY",
        limits=ModelLimits(**{"timeout_seconds": 5, **limits}),  # type: ignore[arg-type]  # whole where they must be
        price=ModelPrice(usd_per_million_prompt_tokens=1.0, usd_per_million_completion_tokens=2.0),
    )


def questions(entry: Model, *texts: str, **shape: Any) -> list[Question]:
    parameters = GenerationParameters(**shape)
    return [Question(entry, parameters, (Message(role="user", content=text),)) for text in texts]


async def ask(desk: Desk, entry: Model, *texts: str, **shape: Any) -> list[Completion]:
    async with asyncio.timeout(20):
        return await desk.completions.answer(questions(entry, *texts, **shape), Lane.BATCH)


async def one(desk: Desk, entry: Model, text: str = "hello") -> Completion:
    return (await ask(desk, entry, text))[0]


async def test_an_answer_with_all_there_is_to_know_of_it(desk: Desk, endpoint: Endpoint) -> None:
    completion = await one(desk, model(endpoint))
    assert (completion.text, completion.finish_reason, completion.attempts, completion.model) == ("yes", STOP, 1, "m")
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (10, 5)
    assert completion.cost_usd == pytest.approx(20e-6)
    assert 0 < completion.latency_seconds < 1
    assert completion.HasField("create_time")
    (asked,) = endpoint.provider.asked
    assert asked.body == {"model": "m", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 512}
    assert asked.headers["authorization"] == f"Bearer {KEY}"


YES = says("yes")

TABLE: dict[str, tuple[list[Behaviour], int, int, str]] = {
    # what the endpoint does: its answers, the finish reason, the requests made (0: more than one), a part of the reason
    "400": ([refuses(400, message="bad temperature")], ERROR, 1, "bad temperature"),
    "400 of a filter": ([filters_the_prompt()], FILTER, 1, ""),
    "filtered in its midst": ([says("Sure, I", finish_reason="content_filter")], FILTER, 1, ""),
    "filtered whole": ([filtered()], FILTER, 1, ""),
    "401": ([refuses(401)], ERROR, 1, "TEST_KEY"),
    "403": ([refuses(403)], ERROR, 1, "TEST_KEY"),
    "404": ([refuses(404)], ERROR, 1, "remote_model and base_url"),
    "redirect": ([answers(b"", 307, Location="http://elsewhere/")], ERROR, 1, "http://elsewhere/"),
    "429 for ever": ([slow_down()], ERROR, 0, "slow down (429)"),
    "429 without quota": ([refuses(429, code="insufficient_quota")], ERROR, 1, "quota"),
    "429 once": ([slow_down(), YES], STOP, 2, ""),
    "500 for ever": ([refuses(500, message="ouch")], ERROR, 3, "given up after 3 requests: the provider failed (500"),
    "500 twice": ([refuses(500), refuses(502), YES], STOP, 3, ""),
    "503 for ever": ([answers(b"", 503)], ERROR, 3, "it said nothing"),
    "503 of a proxy": ([web_page(503), YES], STOP, 2, ""),
    "HTML": ([web_page()], ERROR, 3, "This is no API"),
    "HTML once": ([web_page(), YES], STOP, 2, ""),
    "truncated JSON": ([truncated()], ERROR, 3, "no JSON"),
    "hangs up": ([broken_off()], ERROR, 3, "connection"),
    "hangs up once": ([broken_off(), YES], STOP, 2, ""),
    "nothing": ([nothing()], ERROR, 3, "it said nothing"),
    "no choices": ([answers(b'{"choices": []}')], ERROR, 3, "without a choice"),
    "empty": ([says("")], STOP, 1, ""),
    "10 MB": ([huge()], ERROR, 1, "4 MiB"),
    "2 MB of text": ([huge(2_000_000)], ERROR, 1, "1 MiB"),
    "a gzip bomb": ([answers(gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")], ERROR, 1, "4 MiB"),
    "gzip": ([answers(gzip.compress(YES.body), Content_Encoding="gzip")], STOP, 1, ""),
    "broken gzip": ([answers(b"no", Content_Encoding="gzip"), YES], STOP, 2, ""),
    "never": ([hangs()], ERROR, 2, "no answer within 0.3 s"),
    "late once": ([hangs(), YES], STOP, 2, ""),
}


@pytest.mark.parametrize("case", TABLE)
async def test_whatever_a_provider_does(desk: Desk, endpoint: Endpoint, store: Store, case: str) -> None:
    behaviours, finish, requests, reason = TABLE[case]
    endpoint.play(*behaviours)
    completion = await one(desk, model(endpoint, timeout_seconds=0.3))
    assert completion.finish_reason == finish, completion.error
    assert reason in completion.error
    assert completion.attempts == endpoint.count
    if requests:
        assert endpoint.count == requests
    kept = await store.completions.find([completion.id])
    assert bool(kept) == (finish != ERROR)  # an error is no answer


@asynccontextmanager
async def pouring(piece: bytes, pause_seconds: float) -> AsyncIterator[tuple[str, list[int]]]:
    """Serve an answer without end; yield the base_url, and a list of how many bytes were sent."""
    sent: list[int] = []
    under_way: list[asyncio.Task[None]] = []

    async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            under_way.append(task)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(piece)
                await writer.drain()
                sent.append(len(piece))
                await asyncio.sleep(pause_seconds)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", sent
    await asyncio.wait_for(asyncio.gather(*under_way), 10)  # whoever reads it has hung up


async def test_an_endless_answer_is_not_read_to_its_end(desk: Desk, endpoint: Endpoint) -> None:
    async with pouring(b"x" * 65_536, 0) as (url, sent):
        entry = model(endpoint)
        entry.base_url = url
        assert "4 MiB" in (await one(desk, entry)).error
        assert sum(sent) < 32 * 2**20  # what lies in the buffers of both ends


async def test_a_trickle_ends_with_the_timeout(desk: Desk, endpoint: Endpoint) -> None:
    async with pouring(b" ", 0.05) as (url, _):
        entry = model(endpoint, timeout_seconds=0.3)
        entry.base_url = url
        assert "no answer within 0.3 s" in (await one(desk, entry)).error


async def test_a_model_that_wants_the_limit_under_its_new_name_is_given_it(desk: Desk, endpoint: Endpoint) -> None:
    wrong = refuses(400, message="Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    endpoint.follow(lambda asked: wrong if "max_tokens" in asked.body else YES)
    first = await ask(desk, model(endpoint), "a", "b", "c")
    later = await ask(desk, model(endpoint), "d", "e")
    assert [each.attempts for each in [*first, *later]] == [2, 2, 2, 1, 1]
    assert endpoint.provider.asked[-1].body["max_completion_tokens"] == 512


async def test_nobody_listens(desk: Desk, endpoint: Endpoint) -> None:
    entry = model(endpoint)
    entry.base_url = "http://127.0.0.1:1/v1"
    completion = await one(desk, entry)
    assert (completion.finish_reason, completion.attempts) == (ERROR, 3)
    assert "http://127.0.0.1:1/v1 failed" in completion.error


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/v1", "http://[::1/v1", "http:///v1"])
async def test_what_is_no_url_is_told_at_once(desk: Desk, endpoint: Endpoint, url: str) -> None:
    entry = model(endpoint)
    entry.base_url = url
    completion = await one(desk, entry)
    assert (completion.finish_reason, completion.attempts) == (ERROR, 1)
    assert f"{url} cannot be asked" in completion.error


@pytest.mark.parametrize("written", ["seconds", "date"])
async def test_retry_after_is_obeyed_by_the_whole_model(store: Store, endpoint: Endpoint, written: str) -> None:
    desk = Desk.laid(store, Metrics(CollectorRegistry()), replace(FAST, retry_budget_seconds=10.0), {"TEST_KEY": KEY})
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    endpoint.play(refuses(429, headers={"Retry-After": {"seconds": "1", "date": later}[written]}), YES)
    completions = await ask(desk, model(endpoint, max_in_flight=1), "a", "b", "c")
    assert {each.finish_reason for each in completions} == {STOP}
    assert endpoint.arrivals[1] - endpoint.arrivals[0] >= 1.0
    await desk.close(0)


async def test_what_was_asked_is_found(desk: Desk, endpoint: Endpoint) -> None:
    first = await ask(desk, model(endpoint), "a", "b")
    again = await ask(desk, model(endpoint), "b", "a", "c")
    assert endpoint.count == 3
    assert [each.attempts for each in again] == [0, 0, 1]
    assert [again[1].id, again[0].id] == [each.id for each in first]
    assert again[0].create_time == first[1].create_time


async def test_the_same_question_at_the_same_time_is_asked_once(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.play(says("yes", after_seconds=0.2))
    entry = model(endpoint, max_in_flight=100)
    batches = await asyncio.gather(*(ask(desk, entry, "a", "b", "a", "b") for _ in range(20)))
    assert endpoint.count == 2
    assert sum(each.attempts for batch in batches for each in batch) == 2
    assert {each.text for batch in batches for each in batch} == {"yes"}


async def test_a_failure_is_shared_and_asked_again_the_next_time(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.play(replace(refuses(400), after_seconds=0.1), YES)
    batches = await asyncio.gather(*(ask(desk, model(endpoint), "a") for _ in range(5)))
    assert {each.finish_reason for batch in batches for each in batch} == {ERROR}
    assert endpoint.count == 1
    assert (await one(desk, model(endpoint), "a")).finish_reason == STOP


async def test_one_bad_trial_costs_its_neighbours_nothing(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.follow(lambda asked: refuses(400) if asked.prompt == "bad" else says(asked.prompt))
    completions = await ask(desk, model(endpoint), "a", "bad", "b")
    assert [each.text for each in completions] == ["a", "", "b"]
    assert [each.finish_reason for each in completions] == [STOP, ERROR, STOP]


async def test_who_leaves_does_not_waste_what_is_under_way(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.play(says("yes", after_seconds=0.3))
    entry = model(endpoint, max_in_flight=1)
    caller = asyncio.create_task(ask(desk, entry, "a", "b"))
    while not endpoint.count:
        await asyncio.sleep(0.01)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    assert (await one(desk, entry, "a")).attempts == 0
    assert endpoint.count == 1  # "a" was paid for, "b" never asked


async def test_in_flight_never_above_the_limit_and_close_to_it(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.play(says("yes", after_seconds=0.05))
    started = time.monotonic()
    entry = model(endpoint, max_in_flight=20)
    await asyncio.gather(*(ask(desk, entry, *(f"{batch}/{n}" for n in range(50))) for batch in range(8)))
    assert endpoint.provider.most_in_flight == 20
    assert time.monotonic() - started < 2.5  # 400 requests of 0.05 s, 20 at a time, are 1 s


async def test_control_characters_languages_and_a_megabyte_are_carried_unchanged(
    desk: Desk, endpoint: Endpoint, store: Store
) -> None:
    endpoint.follow(lambda asked: says(asked.prompt))
    texts = ["\x00\x01\x1b[31m\r\n\t\x7f", "नमस्ते 你好 مرحبا สวัสดี 😀 e\u0301 \u202e", "x" * 1_000_000]
    completions = await ask(desk, model(endpoint), *texts)
    assert [each.text for each in completions] == texts
    kept = await store.completions.find([each.id for each in completions])
    assert [kept[each.id].text for each in completions] == texts


async def test_a_lone_surrogate_in_an_answer_is_replaced(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.play(says("a\ud800b"))
    assert (await one(desk, model(endpoint))).text == "a\ufffdb"


async def test_a_key_that_is_not_set_is_told_by_its_name(store: Store, endpoint: Endpoint) -> None:
    environment: dict[str, str] = {}
    desk = Desk.laid(store, Metrics(CollectorRegistry()), FAST, environment)
    completion = await one(desk, model(endpoint))
    assert (completion.finish_reason, endpoint.count) == (ERROR, 0)
    assert "TEST_KEY is not set" in completion.error
    environment["TEST_KEY"] = KEY  # read when it is needed
    assert (await one(desk, model(endpoint))).finish_reason == STOP
    await desk.close(0)


async def test_the_key_is_in_no_log_error_or_document(
    desk: Desk, endpoint: Endpoint, store: Store, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)

    def gossip(asked: Asked) -> Behaviour:
        """Quote the key wherever there is room for it."""
        key = asked.headers["authorization"]
        return says(f"you sent {key}") if asked.prompt == "ok" else refuses(int(asked.prompt), message=key)

    endpoint.follow(gossip)
    completions = await ask(desk, model(endpoint), "ok", "400", "401", "404", "429", "500")
    endpoint.play(answers(f"<html>{KEY}</html>".encode()))
    completions += await ask(desk, model(endpoint), "html")
    everything = [str(each) for each in completions]
    for name in await store._database.list_collection_names():
        everything += [str(document) async for document in store._database[name].find()]
    everything += [caplog.text, *capsys.readouterr()]
    assert "you sent Bearer [key]" in completions[0].text
    assert not any(KEY[start : start + 8] in text for start, text in itertools.product(range(len(KEY) - 7), everything))


IMPATIENT = StoreSettings(
    select_milliseconds=300, connect_milliseconds=300, answer_milliseconds=1000, majority_milliseconds=1000
)


async def test_answers_that_came_while_mongod_was_away_are_paid_once(tmp_path: Path, endpoint: Endpoint) -> None:
    server = MongoServer.start(tmp_path)
    store = Store.connect(server.url, settings=IMPATIENT)
    desk = Desk.laid(store, Metrics(CollectorRegistry()), FAST, {"TEST_KEY": KEY})
    endpoint.play(says("yes", after_seconds=0.3))
    entry = model(endpoint, max_in_flight=4)
    try:
        asking = asyncio.create_task(ask(desk, entry, *"abcdefgh"))
        while endpoint.count < 4:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.kill)
        with pytest.raises(Unavailable):
            await ask(desk, entry, "new")  # nothing is bought that cannot be kept
        await asyncio.sleep(1)
        assert endpoint.count <= 8
        server = await asyncio.to_thread(MongoServer.start, tmp_path, port=server.port)
        completions = await asking
        assert [each.attempts for each in completions] == [1] * 8
        assert endpoint.count == 8
        assert [each.attempts for each in await ask(desk, entry, *"abcdefgh")] == [0] * 8
    finally:
        await desk.close(0)
        await store.close()
        server.kill()
