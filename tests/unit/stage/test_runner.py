"""What a stage promises, one promise a test, on a queue that behaves, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from libra.errors import Unavailable
from libra.stage.bus import Outgoing
from libra.stage.failure import Reject, Retry
from libra.stage.policy import Policy
from libra.stage.runner import Stage, run
from libra.telemetry import tracing
from libra.telemetry.metrics import Metrics
from libra.testing.clock import simulate
from libra.testing.hostile import HostileBus, HostileDelivery
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch

Handle = Callable[[TrialBatch], Awaitable[Sequence[Outgoing]]]
OUT = "work.ranking"


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """Keep the log of each bug that is played from being drawn, which takes longer than the rest."""
    with capture_logs():
        yield


def batch(sample: int) -> bytes:
    header = BatchHeader(run="r", model="m", task="t@1", attack="none")
    return TrialBatch(header=header, trials=[Trial(sample=sample)]).SerializeToString()


def answer(trials: TrialBatch) -> list[Outgoing]:
    return [Outgoing(OUT, f"out/{trials.trials[0].sample}", b"answer")]


@dataclass
class Scene:
    """One stage on one bus."""

    bus: HostileBus = field(default_factory=HostileBus)
    policy: Policy = field(default_factory=Policy)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.metrics = Metrics(self.registry)

    async def put(self, *samples: int, data: bytes | None = None) -> None:
        for sample in samples:
            message = Outgoing("work.judge", f"in/{sample}", batch(sample) if data is None else data)
            await self.bus.publish(message, tracing.inject())

    def stage(self, handle: Handle) -> Stage[TrialBatch]:
        return Stage(
            "judge", TrialBatch.FromString, handle, self.policy, lambda one: (one.header.model, len(one.trials))
        )

    async def work(self, handle: Handle, seconds: float) -> None:
        """Run the stage for so long."""
        running = asyncio.create_task(run(self.stage(handle), "judge", self.bus, self.stop, self.metrics))
        await asyncio.wait({running}, timeout=seconds)
        self.stop.set()
        await running

    def outputs(self) -> list[str]:
        return [message.outgoing.key for message in self.bus.messages(OUT)]

    def dead(self) -> list[dict[str, str]]:
        return [dict(message.headers) for message in self.bus.messages("dead.judge")]

    def ended(self) -> bool:
        return all(message.ended for message in self.bus.messages("work.judge"))

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"libra_{name}", {"stage": "judge", **labels}) or 0.0


def virtually(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run an async test in virtual time."""

    def wrapped() -> None:
        simulate(test(), limit_seconds=100_000)

    wrapped.__name__ = test.__name__
    return wrapped


def now() -> float:
    return asyncio.get_running_loop().time()


async def quick(trials: TrialBatch) -> list[Outgoing]:
    return answer(trials)


@virtually
async def test_what_is_handled_is_published_and_then_acknowledged() -> None:
    scene = Scene()
    await scene.put(1, 2, 3)
    await scene.work(quick, 5)
    assert scene.outputs() == ["out/1", "out/2", "out/3"]
    assert scene.ended()
    assert not scene.dead()
    assert scene.count("stage_batches_total", outcome="done") == 3
    assert scene.count("stage_trials_total", model="m") == 3
    assert scene.count("stage_in_hand") == 0
    assert scene.count("stage_seconds_count") == 3


@virtually
async def test_retry_comes_back_after_its_own_time_or_the_tables() -> None:
    scene, times = Scene(policy=Policy(delays_seconds=(3.0, 7.0))), []

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        times.append(round(now()))
        match len(times):
            case 1:
                raise Retry("busy")
            case 2:
                raise Retry("busy", after_seconds=11.0)
            case 3:
                raise Retry("busy", after_seconds=0.0)
        return answer(trials)

    await scene.put(1)
    await scene.work(handle, 60)
    assert times == [0, 3, 14, 14]
    assert scene.outputs() == ["out/1"]
    assert scene.count("stage_batches_total", outcome="retried") == 3
    assert scene.count("stage_redeliveries_total") == 3


@pytest.mark.parametrize("fault", [Retry("busy"), RuntimeError("a bug")], ids=["retry", "bug"])
def test_the_last_attempt_leads_to_the_dead_letters(fault: Exception) -> None:
    async def test() -> None:
        scene, calls = Scene(policy=Policy(attempts=3, delays_seconds=(1.0,))), 0

        async def handle(trials: TrialBatch) -> list[Outgoing]:
            nonlocal calls
            calls += 1
            raise fault

        await scene.put(1)
        await scene.work(handle, 60)
        assert calls == 3
        assert scene.ended()
        (letter,) = scene.dead()
        assert str(fault) in letter["Libra-Reason"]
        assert "3 attempts" in letter["Libra-Reason"]
        assert letter["Libra-Subject"] == "work.judge"
        assert letter["Libra-Key"] == "in/1"
        assert letter["Libra-Attempts"] == "3"
        assert scene.bus.messages("dead.judge")[0].outgoing.data == batch(1)
        assert scene.count("dead_letters_total") == 1

    simulate(test())


@virtually
async def test_reject_is_set_aside_at_once_and_costs_its_neighbours_nothing() -> None:
    scene = Scene()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        if trials.trials[0].sample == 2:
            raise Reject("never")
        return answer(trials)

    await scene.put(1, 2, 3)
    await scene.work(handle, 5)
    assert scene.outputs() == ["out/1", "out/3"]
    assert [letter["Libra-Reason"] for letter in scene.dead()] == ["never"]
    assert scene.count("stage_batches_total", outcome="rejected") == 1


@virtually
async def test_what_cannot_be_decoded_is_set_aside_and_the_stage_goes_on() -> None:
    scene = Scene()
    await scene.put(1, data=b"\xff\xff no protobuf")
    await scene.put(2)
    await scene.work(quick, 5)
    assert scene.outputs() == ["out/2"]
    (letter,) = scene.dead()
    assert "cannot be decoded" in letter["Libra-Reason"]


@virtually
async def test_a_handler_past_its_deadline_is_a_bug() -> None:
    scene = Scene(policy=Policy(attempts=2, deadline_seconds=40.0, delays_seconds=(1.0,)))

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        await asyncio.sleep(1000)
        return []

    await scene.put(1)
    await scene.work(handle, 200)
    (letter,) = scene.dead()
    assert "longer than 40 s" in letter["Libra-Reason"]


@pytest.mark.parametrize("seconds", [30, 3600, 10_000])
def test_an_outage_of_any_length_leads_to_no_dead_letter(seconds: int) -> None:
    async def test() -> None:
        scene = Scene(policy=Policy(attempts=2, deliveries=3, wait_seconds=5.0))

        async def handle(trials: TrialBatch) -> list[Outgoing]:
            if now() < seconds:
                raise Unavailable("MongoDB is away")
            return answer(trials)

        await scene.put(*range(40))
        await scene.work(handle, seconds + 120)
        assert sorted(scene.outputs()) == sorted(f"out/{n}" for n in range(40))
        assert not scene.dead()
        assert scene.ended()

    simulate(test())


@virtually
async def test_a_short_outage_is_waited_for_with_the_message_in_hand() -> None:
    scene = Scene()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        if now() < 50:
            raise Unavailable("MongoDB is away")
        return answer(trials)

    await scene.put(1)
    await scene.work(handle, 60)
    assert scene.bus.messages("work.judge")[0].attempts == 1
    assert len(scene.bus.messages("work.judge")) == 1


@virtually
async def test_after_an_outage_a_message_still_has_all_its_attempts() -> None:
    scene = Scene(policy=Policy(attempts=3, deliveries=4, delays_seconds=(1.0,)))
    failures = 0

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        nonlocal failures
        if 10 < now() < 3600:
            raise Unavailable("MongoDB is away")
        failures += 1
        raise Retry("busy", after_seconds=20.0)

    await scene.put(1)
    await scene.work(handle, 5000)
    assert failures == 3  # one before the outage, and the two that were left
    (letter,) = scene.dead()
    assert letter["Libra-Key"] == "in/1"
    assert letter["Libra-Subject"] == "work.judge"


@virtually
async def test_an_outage_of_what_one_batch_needs_does_not_hold_up_the_others_for_good() -> None:
    scene = Scene(policy=Policy(slots=2))

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        if trials.trials[0].sample < 5:
            raise Unavailable("no model judge")
        return answer(trials)

    await scene.put(*range(8))
    await scene.work(handle, 400)
    assert scene.outputs() == ["out/5", "out/6", "out/7"]
    assert not scene.dead()
    assert len(scene.bus.unended()) == 5 + 3  # the waiting, and the outputs that nobody reads


@virtually
async def test_a_full_queue_is_waited_for_and_is_no_attempt() -> None:
    scene, calls = Scene(bus=HostileBus(room=1), policy=Policy(attempts=1, deliveries=1)), 0

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        nonlocal calls
        calls += 1
        return answer(trials)

    await scene.bus.publish(Outgoing(OUT, "first", b""), {})
    await scene.put(1)
    running = asyncio.create_task(scene.work(handle, 2000))
    await asyncio.sleep(1000)
    assert scene.outputs() == ["first"]
    assert scene.bus.messages("work.judge")[0].attempts == 1
    (first,) = await scene.bus.pull("ranking", 1)
    await first.ack()
    await running
    assert scene.outputs() == ["first", "out/1"]
    assert calls == 1
    assert scene.ended()


@virtually
async def test_a_stop_while_waiting_for_room_hands_the_message_back() -> None:
    scene = Scene(bus=HostileBus(room=1))
    await scene.bus.publish(Outgoing(OUT, "first", b""), {})
    await scene.put(1)
    await scene.work(quick, 10)
    assert now() < 11
    (again,) = await scene.bus.pull("judge", 1)
    assert again.attempt == 2
    assert now() < 11


@virtually
async def test_a_stop_while_waiting_for_an_outage_hands_the_message_back() -> None:
    scene = Scene()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        raise Unavailable("MongoDB is away")

    await scene.put(1)
    await scene.work(handle, 10)
    assert now() < 11
    (again,) = await scene.bus.pull("judge", 1)
    assert again.attempt == 2


@virtually
async def test_a_stop_lets_the_work_in_hand_finish_and_hands_the_rest_back() -> None:
    scene = Scene(policy=Policy(slots=2, drain_seconds=20.0))

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        await asyncio.sleep(10 if trials.trials[0].sample == 1 else 10_000)
        return answer(trials)

    await scene.put(1, 2, 3)
    await scene.work(handle, 5)
    assert now() == pytest.approx(25, abs=0.001)
    assert scene.outputs() == ["out/1"]
    back = await scene.bus.pull("judge", 5)
    assert {(delivery.key, delivery.attempt) for delivery in back} == {("in/2", 2), ("in/3", 1)}


@virtually
async def test_an_idle_stage_stops_at_once() -> None:
    scene = Scene()
    await scene.work(quick, 0.5)
    assert now() == pytest.approx(0.5, abs=0.001)


@virtually
async def test_a_cancelled_stage_hands_everything_back_at_once() -> None:
    scene = Scene()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        await asyncio.sleep(1000)
        return []

    await scene.put(1, 2)
    running = asyncio.create_task(run(scene.stage(handle), "judge", scene.bus, scene.stop, scene.metrics))
    await asyncio.sleep(3)
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
    assert now() == pytest.approx(3, abs=0.001)
    assert len(await scene.bus.pull("judge", 5)) == 2


@virtually
async def test_slow_work_is_not_given_to_anybody_else() -> None:
    scene, calls = Scene(), []

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        calls.append(now())
        await asyncio.sleep(250)
        return answer(trials)

    await scene.put(1)
    await asyncio.gather(scene.work(handle, 400), scene.work(handle, 400))
    assert calls == [pytest.approx(0, abs=0.001)]


@virtually
async def test_never_more_than_the_slots_are_in_hand_and_one_slow_batch_does_not_stop_the_others() -> None:
    scene, in_hand, most = Scene(policy=Policy(slots=4)), 0, 0

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        nonlocal in_hand, most
        in_hand += 1
        most = max(most, in_hand)
        await asyncio.sleep(200 if trials.trials[0].sample == 0 else 1)
        in_hand -= 1
        return answer(trials)

    await scene.put(*range(50))
    await scene.work(handle, 30)
    assert most == 4
    assert len(scene.outputs()) == 49


@virtually
async def test_the_stage_outlives_its_bus() -> None:
    scene = Scene()
    await scene.put(1)
    scene.bus.down = True
    running = asyncio.create_task(scene.work(quick, 500))
    await asyncio.sleep(300)
    scene.bus.down = False
    await running
    assert scene.outputs() == ["out/1"]


@virtually
async def test_a_bus_that_goes_away_while_a_batch_is_handled_costs_no_more_than_time() -> None:
    scene = Scene()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        await asyncio.sleep(10)
        return answer(trials)

    await scene.put(1)
    running = asyncio.create_task(scene.work(handle, 600))
    await asyncio.sleep(5)
    scene.bus.down = True
    await asyncio.sleep(300)
    scene.bus.down = False
    await running
    assert scene.outputs() == ["out/1"]
    assert scene.ended()
    assert not scene.dead()


class Breaking(HostileBus):
    """A bus whose pull has a bug, once."""

    broken = False

    async def pull(self, consumer: str, limit: int) -> Sequence[HostileDelivery]:
        if not self.broken:
            self.broken = True
            raise RuntimeError("a bug in the bus")
        return await super().pull(consumer, limit)


@virtually
async def test_the_stage_outlives_a_bug_of_its_bus() -> None:
    scene = Scene(bus=Breaking())
    await scene.put(1)
    await scene.work(quick, 5)
    assert scene.outputs() == ["out/1"]


@virtually
async def test_a_message_that_ends_its_process_every_time_is_set_aside() -> None:
    scene = Scene(policy=Policy(attempts=2, deliveries=4))
    await scene.put(1)
    for _ in range(4):  # processes that die with the message in hand say nothing more
        await scene.bus.pull("judge", 1)
        await asyncio.sleep(31)
    await scene.work(quick, 5)
    assert scene.outputs() == []
    (letter,) = scene.dead()
    assert "given out 5 times" in letter["Libra-Reason"]


@virtually
async def test_a_message_that_lived_through_crashes_of_others_has_its_attempts() -> None:
    scene, calls = Scene(policy=Policy(attempts=2, deliveries=10, delays_seconds=(1.0,))), 0

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise Retry("busy")
        return answer(trials)

    await scene.put(1)
    for _ in range(6):
        await scene.bus.pull("judge", 1)
        await asyncio.sleep(31)
    await scene.work(handle, 20)
    assert scene.outputs() == ["out/1"]


@pytest.fixture
def finished() -> Iterator[InMemorySpanExporter]:
    """The spans that end during the test."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    exporter.shutdown()


def test_the_trace_goes_on_through_the_headers(finished: InMemorySpanExporter) -> None:
    async def handle(trials: TrialBatch) -> list[Outgoing]:
        if trials.trials[0].sample == 2:
            raise Reject("never")
        return answer(trials)

    async def test() -> None:
        scene = Scene()
        with tracing.tracer().start_as_current_span("before"):
            await scene.put(1, 2)
        await scene.work(handle, 5)
        out, letter = scene.bus.messages(OUT)[0], scene.bus.messages("dead.judge")[0]
        before = {span.name: span for span in finished.get_finished_spans()}["before"]
        trace_id = format(before.context.trace_id, "032x")
        assert trace_id in out.headers["traceparent"]
        assert trace_id in letter.headers["traceparent"]
        spans = [span for span in finished.get_finished_spans() if span.name == "stage.handle"]
        assert [span.kind for span in spans] == [SpanKind.CONSUMER] * 2
        assert {span.parent.span_id for span in spans if span.parent} == {before.context.span_id}
        assert sorted(span.status.is_ok for span in spans) == [False, True]
        assert dict(spans[0].attributes or {}) == {
            "stage": "judge",
            "run": "r",
            "model": "m",
            "task": "t@1",
            "attack": "none",
            "trials": 1,
        }

    simulate(test())
