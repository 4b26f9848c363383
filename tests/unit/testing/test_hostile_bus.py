"""The faults of the in-memory queue occur as declared; its other behaviour is in the contract tests of the bus."""

from __future__ import annotations

from libra.core.errors import Unavailable
from libra.stage.bus import Outgoing
from libra.testing.hostile_bus import BusFaults, HostileBus
from libra.testing.virtual_time import simulate


def outgoing(number: int) -> Outgoing:
    return Outgoing("work.judge", f"k{number}", b"")


def test_half_of_the_lost_publishes_are_stored() -> None:
    async def publish() -> tuple[int, int]:
        bus, errors = HostileBus(seed=1, faults=BusFaults(lost_publishes=1.0)), 0
        for number in range(200):
            try:
                await bus.publish(outgoing(number), {})
            except Unavailable:
                errors += 1
        return errors, len(bus.messages("work.judge"))

    errors, stored = simulate(publish())
    assert errors == 200
    assert 60 < stored < 140


def test_an_unsettled_message_is_redelivered_after_the_ack_wait() -> None:
    async def pull() -> list[int]:
        bus = HostileBus()
        await bus.publish(outgoing(1), {})
        attempts = []
        for _ in range(40):
            attempts += [delivery.attempt for delivery in await bus.pull("judge", 1)]
        return attempts

    assert simulate(pull()) == [1, 2, 3]


def test_a_lost_acknowledgement_settles_nothing() -> None:
    async def settle() -> int:
        bus = HostileBus(faults=BusFaults(lost_acknowledgements=1.0))
        await bus.publish(outgoing(1), {})
        (delivery,) = await bus.pull("judge", 1)
        for end in (delivery.ack, delivery.term):
            try:
                await end()
            except Unavailable:
                continue
        return len(bus.unsettled())

    assert simulate(settle()) == 1


def test_lost_data_includes_the_deduplication_keys() -> None:
    async def lose() -> int:
        bus = HostileBus()
        await bus.publish(outgoing(1), {})
        bus.lose_data()
        await bus.publish(outgoing(1), {})
        return len(await bus.pull("judge", 4))

    assert simulate(lose()) == 1
