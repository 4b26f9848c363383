"""Whoever renews, dies, freezes or is cut off, and when: no limit is exceeded by the sum of what is used.

Each replica has its own clock, which runs at its own rate from its own beginning. Between any two of its steps others take
theirs; what it writes may arrive late, be refused, or arrive and be answered by nobody.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libra.gateway.limits.sliding_window import WINDOW_SECONDS, RequestWindow
from libra.gateway.quota.allocation import NOTHING, Amounts, Need, Renewal, Watch, renewal
from libra.gateway.quota.lease import AGE_SECONDS, IN_FLIGHT, REQUESTS, Claim, Ledger, Part

LIFE, HOLD, RENEW = 6.0, 5.0, 2.0
TAIL = 4.0
MINUTE = 60.0


@dataclass
class Server:
    """The ledger, and what the provider sees."""

    limits: Amounts
    ledger: Ledger = field(default_factory=Ledger)
    revision: int = 0
    made_at: float = -1000.0
    in_flight: list[float] = field(default_factory=list)  # when each ends
    starts: deque[float] = field(default_factory=deque)

    def write(self, ledger: Ledger, revision: int) -> bool:
        if revision != self.revision:
            return False
        self.ledger, self.revision = Ledger.read(ledger.written()), self.revision + 1
        return True

    def lose(self, now: float) -> None:
        self.ledger, self.revision, self.made_at = Ledger(), self.revision + 1000, now

    def check(self, now: float) -> None:
        self.in_flight = [end for end in self.in_flight if end > now]
        while self.starts and self.starts[0] <= now - MINUTE:
            self.starts.popleft()
        assert len(self.in_flight) <= self.limits[IN_FLIGHT]
        assert len(self.starts) <= self.limits[REQUESTS]
        for kind, limit in enumerate(self.limits):
            assert sum(claim.parts[kind].grant for claim in self.ledger.claims.values()) <= limit


@dataclass
class Replica:
    """One gateway: the arithmetic, a window, and what it may use."""

    name: str
    offset: float
    rate: float
    beat: int = 0
    watch: Watch = field(default_factory=Watch)
    window: RequestWindow = field(default_factory=lambda: RequestWindow(1))
    caps: Amounts = NOTHING
    grants: Amounts = NOTHING
    until: float = -1.0
    wants: int = 0
    ends: list[float] = field(default_factory=list)
    sent: tuple[Renewal, int, float] | None = None
    cut_off: bool = False
    """From the ledger, but not from the provider."""

    def clock(self, now: float) -> float:
        return self.offset + self.rate * now

    def begin(self, server: Server, now: float) -> None:
        """Read, work out the next step, and lower use."""
        clock = self.clock(now)
        silent = self.watch.look(server.ledger, clock)
        self.ends = [end for end in self.ends if end > now]
        used = len(self.ends), self.window.used(clock), 0
        need = Need(self.wants, used, ({}, self.window.ages(clock, AGE_SECONDS), {}), TAIL)
        still_held = self.grants if clock < self.until else NOTHING
        self.beat += 1
        plan = renewal(
            server.ledger, self.name, need, server.limits, beat=self.beat, life_seconds=LIFE, silent=silent,
            still_held=still_held, young=now - server.made_at < LIFE, next_turn=self.watch.turn_seconds(server.ledger, clock) > 10,
        )  # fmt: skip
        in_flight, requests, tokens = (min(old, new) for old, new in zip(self.caps, plan.caps, strict=True))
        self.caps = in_flight, requests, tokens
        self.sent = plan, server.revision, clock

    def arrive(self, server: Server, *, heard: bool) -> None:
        """What was sent arrives; the answer may not."""
        assert self.sent
        plan, revision, sent_at = self.sent
        self.sent = None
        if server.write(plan.ledger, revision) and heard:
            self.caps, self.grants, self.until = plan.caps, plan.grants, sent_at + HOLD

    def start(self, server: Server, now: float, seconds: float) -> None:
        clock = self.clock(now)
        self.ends = [end for end in self.ends if end > now]
        if clock >= self.until or len(self.ends) >= self.caps[IN_FLIGHT] or not self.caps[REQUESTS]:
            return
        self.window.most = self.caps[REQUESTS]
        if self.window.used(clock) >= self.window.most:
            return
        self.window.start(clock)
        self.ends.append(now + seconds)
        server.in_flight.append(now + seconds)
        server.starts.append(now)


def born(dice: random.Random, name: str) -> Replica:
    return Replica(name, dice.uniform(-1000, 1000), dice.uniform(0.99, 1.01))


def step(dice: random.Random, server: Server, replica: Replica, now: float) -> None:
    chance = dice.random()
    if chance < 0.01:
        replica.cut_off = not replica.cut_off
    elif chance < 0.03:
        replica.wants = dice.choice([0, 1, 5, 1000, 1000])
    elif chance < 0.5 and not replica.cut_off:
        if replica.sent:
            replica.arrive(server, heard=dice.random() < 0.9)
        else:
            replica.begin(server, now)
    else:
        for _ in range(dice.choice([1, 30])):
            replica.start(server, now, TAIL * dice.choice([0.1, 0.97]))


@settings(max_examples=120, deadline=None)
@given(seed=st.integers(0, 2**32), in_flight=st.integers(1, 40), requests=st.integers(1, 200))
def test_no_limit_is_exceeded_by_all_together(seed: int, in_flight: int, requests: int) -> None:
    dice = random.Random(seed)
    server, now = Server((in_flight, requests, 0)), 0.0
    replicas = [born(dice, f"r{number}") for number in range(dice.randint(1, 5))]
    for number in range(600):
        now += dice.choice([0.0, 0.0, 0.05, 0.3]) if dice.random() < 0.995 else dice.uniform(0, 20)
        server.check(now)
        place = dice.randrange(len(replicas))
        chance = dice.random()
        if chance < 0.005:
            replicas[place] = born(dice, f"s{number}")  # killed, and another started
        else:
            step(dice, server, replicas[place], now)
        server.check(now)


def settled(limits: Amounts, wants: list[int], seconds: float = 20.0) -> tuple[Server, list[Replica], float]:
    """Return replicas that have renewed in turn for so long, none of them asking anything."""
    server = Server(limits)
    replicas = [Replica(f"r{place}", 0.0, 1.0, wants=want) for place, want in enumerate(wants)]
    return server, replicas, on(server, replicas, 0.0, seconds)


def on(server: Server, replicas: list[Replica], now: float, seconds: float) -> float:
    until = now + seconds
    while now < until:
        for replica in replicas:
            replica.begin(server, now)
            replica.arrive(server, heard=True)
        now += RENEW
    return now


def test_all_of_the_limit_is_held_by_those_who_want_it() -> None:
    _, replicas, _ = settled((100, 600, 0), [1000, 1000, 10, 0])
    assert [replica.caps for replica in replicas] == [(45, 270, 0), (45, 269, 0), (10, 61, 0), NOTHING]


def test_one_who_comes_gets_its_share_within_two_rounds() -> None:
    server, replicas, now = settled((100, 600, 0), [1000])
    assert replicas[0].caps == (100, 600, 0)
    replicas.append(Replica("new", 50.0, 1.0, wants=1000))
    on(server, replicas, now, 2 * RENEW)
    assert [replica.caps for replica in replicas] == [(50, 300, 0)] * 2


def test_what_is_in_use_is_held_until_it_has_ended() -> None:
    server, replicas, now = settled((100, 100_000, 0), [1000])
    for _ in range(100):
        replicas[0].start(server, now, 9.0)
    replicas.append(Replica("new", 50.0, 1.0, wants=1000))
    now = on(server, replicas, now, 2 * RENEW)
    assert (replicas[0].caps[IN_FLIGHT], replicas[0].grants[IN_FLIGHT], replicas[1].caps[IN_FLIGHT]) == (50, 100, 0)
    now = on(server, replicas, now, 9.0)
    assert replicas[1].caps[IN_FLIGHT] == 50


def test_one_who_is_gone_leaves_its_part_after_three_renewals_and_its_longest_request() -> None:
    server, (one, other), now = settled((100, 600, 0), [1000, 1000])
    kept = on(server, [one], now, LIFE - RENEW)
    assert one.caps[IN_FLIGHT] == 50
    kept = on(server, [one], kept, TAIL + RENEW + 0.1)
    assert one.caps[IN_FLIGHT] == 100
    assert other.until < kept


@pytest.mark.parametrize("rate", [0.9, 1.0, 1.1])
def test_one_who_is_cut_off_has_ended_before_others_begin(rate: float) -> None:
    server, (one, other), now = settled((100, 100_000, 0), [1000, 1000])
    other.rate, other.offset = rate, now - rate * now
    on(server, [other, one], now, 0.1)
    begun, dice = now, random.Random(1)
    while now < begun + 20:
        for _ in range(100):
            # Cut off from the ledger, and not from the provider.
            other.start(server, now, TAIL * 0.99 if dice.random() < 0.02 else 0.1)
        server.check(now)
        one.begin(server, now)
        one.arrive(server, heard=True)
        for _ in range(100):
            one.start(server, now, 0.2)
        server.check(now)
        now += 0.05
    assert one.caps[IN_FLIGHT] == 100


def test_what_a_dead_replica_asked_is_inherited_as_it_grows_old() -> None:
    server, (one, other), now = settled((1000, 1220, 0), [1000, 1000])
    for _ in range(61):  # each asks its 10 a second
        for replica in (one, other):
            for _ in range(10):
                replica.start(server, now, 0.1)
        for replica in (one, other) if int(now) % 2 else ():
            replica.begin(server, now)
            replica.arrive(server, heard=True)
        now += 1.0
    asked = []
    for second in range(61):  # the other is dead
        before = len(one.ends)
        for _ in range(20):
            before += 1
            replica_starts = len(server.starts)
            one.start(server, now, 0.1)
            asked.append((second, len(server.starts) - replica_starts))
        one.begin(server, now)
        one.arrive(server, heard=True)
        now += 1.0
        server.check(now)
    late = sum(started for second, started in asked if second >= 20)
    assert late >= 0.9 * 41 * 20


def test_in_a_young_ledger_nobody_takes_more_than_he_holds() -> None:
    server, (one, other), now = settled((100, 600, 0), [1000, 1000])
    server.lose(now)
    new = Replica("new", 0.0, 1.0, wants=1000)
    now = on(server, [new, one, other], now, LIFE - 0.1)
    assert [replica.caps[IN_FLIGHT] for replica in (new, one, other)] == [0, 33, 34]
    on(server, [new, one, other], now, 2 * RENEW)
    assert sorted(replica.caps[IN_FLIGHT] for replica in (new, one, other)) == [33, 33, 34]


def test_where_there_is_less_than_one_for_each_it_goes_round() -> None:
    server, replicas, now = settled((1, 0, 0), [5, 5, 5])
    served = set()
    for _ in range(30):
        now = on(server, replicas, now, RENEW)
        assert sum(replica.caps[IN_FLIGHT] for replica in replicas) <= 1
        served |= {replica.name for replica in replicas if replica.caps[IN_FLIGHT]}
    assert served == {"r0", "r1", "r2"}


def test_one_who_wants_nothing_and_holds_nothing_stands_in_the_ledger_no_more() -> None:
    server, replicas, now = settled((100, 600, 0), [10, 10])
    replicas[1].wants = 0
    on(server, replicas, now, RENEW)
    assert set(server.ledger.claims) == {"r0"}


@given(
    st.integers(0, 100), st.dictionaries(st.integers(0, 13), st.integers(0, 50)), st.floats(0, 200), st.floats(0, 100)
)
def test_what_is_left_only_falls(grant: int, used: dict[int, int], silent: float, later: float) -> None:
    part = Part.of(grant, used, LIFE)
    assert part.fresh + sum(part.ages) == grant
    assert part.left(silent, LIFE, TAIL) >= part.left(silent + later, LIFE, TAIL) >= 0
    assert part.left(LIFE - 0.1, LIFE, TAIL) == grant
    assert part.left(LIFE + WINDOW_SECONDS, LIFE, TAIL) == 0


def test_a_ledger_is_read_as_it_was_written() -> None:
    claim = Claim(7, 6.0, 1.5, 90, (Part(5, 5), Part(9, 3, (4, 0, 2)), Part()))
    ledger = Ledger({"one": claim, "other": claim}, 3)
    assert Ledger.read(ledger.written()) == ledger
    assert Ledger.read(b"") == Ledger.read(b"{no") == Ledger.read(b'{"claims": 7}') == Ledger()
