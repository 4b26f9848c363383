"""No limit is exceeded by all replicas together, even if some are killed, frozen or cut off at any time.

Each replica has its own clock, with its own start and rate. Between any two of its steps other replicas take
theirs. A write may arrive late, be refused, or arrive although its confirmation is lost.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libra.gateway.limits.request_budget import NO_QUOTA, Quota, QuotaUsage
from libra.gateway.limits.sliding_window import WINDOW_SECONDS, RequestWindow
from libra.gateway.quota.allocation import HeartbeatMonitor, RenewalPlan, plan_renewal
from libra.gateway.quota.lease import IN_FLIGHT, REQUESTS, Lease, LeasedAmount, LeaseTable

LIFETIME, USE, RENEW = 6.0, 5.0, 2.0
MAX_REQUEST = 4.0
MINUTE = 60.0


@dataclass
class Server:
    """The lease table, and the requests that the provider sees."""

    limits: Quota
    table: LeaseTable = field(default_factory=LeaseTable)
    revision: int = 0
    made_at: float = -1000.0
    in_flight: list[float] = field(default_factory=list)  # when each ends
    starts: deque[float] = field(default_factory=deque)

    def write(self, table: LeaseTable, revision: int) -> bool:
        if revision != self.revision:
            return False
        self.table, self.revision = LeaseTable.from_bytes(table.to_bytes()), self.revision + 1
        return True

    def lose(self, now: float) -> None:
        self.table, self.revision, self.made_at = LeaseTable(), self.revision + 1000, now

    def check(self, now: float) -> None:
        self.in_flight = [end for end in self.in_flight if end > now]
        while self.starts and self.starts[0] <= now - MINUTE:
            self.starts.popleft()
        assert len(self.in_flight) <= self.limits[IN_FLIGHT]
        assert len(self.starts) <= self.limits[REQUESTS]
        for kind, limit in enumerate(self.limits):
            assert sum(lease.quota[kind] for lease in self.table.leases.values()) <= limit


@dataclass
class Replica:
    """One gateway: the arithmetic, a window, and the quota that it may use."""

    name: str
    offset: float
    rate: float
    heartbeat: int = 0
    monitor: HeartbeatMonitor = field(default_factory=HeartbeatMonitor)
    window: RequestWindow = field(default_factory=lambda: RequestWindow(1))
    usable: Quota = NO_QUOTA
    leased: Quota = NO_QUOTA
    until: float = -1.0
    demand: int = 0
    ends: list[float] = field(default_factory=list)
    sent: tuple[RenewalPlan, int, float] | None = None
    is_cut_off: bool = False
    """From the lease table, but not from the provider."""

    def clock(self, now: float) -> float:
        return self.offset + self.rate * now

    def begin(self, server: Server, now: float) -> None:
        """Read the table, plan the renewal, and reduce use."""
        clock = self.clock(now)
        silent = self.monitor.observe(server.table, clock)
        self.ends = [end for end in self.ends if end > now]
        used = len(self.ends), self.window.used(clock), 0
        usage = QuotaUsage(self.demand, used, ({}, self.window.used_by_age(clock), {}), MAX_REQUEST)
        still_leased = self.leased if clock < self.until else NO_QUOTA
        self.heartbeat += 1
        plan = plan_renewal(
            server.table,
            self.name,
            usage,
            server.limits,
            heartbeat=self.heartbeat,
            lifetime_seconds=LIFETIME,
            silent_seconds=silent,
            still_leased=still_leased,
            is_young=now - server.made_at < LIFETIME,
            rotate=self.monitor.rotation_seconds(server.table, clock) > 10,
        )
        in_flight, requests, tokens = (min(old, new) for old, new in zip(self.usable, plan.usable, strict=True))
        self.usable = in_flight, requests, tokens
        self.sent = plan, server.revision, clock

    def arrive(self, server: Server, *, is_confirmed: bool) -> None:
        """The write arrives; its confirmation may be lost."""
        assert self.sent
        plan, revision, sent_at = self.sent
        self.sent = None
        if server.write(plan.table, revision) and is_confirmed:
            self.usable, self.leased, self.until = plan.usable, plan.leased, sent_at + USE

    def start(self, server: Server, now: float, seconds: float) -> None:
        clock = self.clock(now)
        self.ends = [end for end in self.ends if end > now]
        if clock >= self.until or len(self.ends) >= self.usable[IN_FLIGHT] or not self.usable[REQUESTS]:
            return
        self.window.limit = self.usable[REQUESTS]
        if self.window.used(clock) >= self.window.limit:
            return
        self.window.start(clock)
        self.ends.append(now + seconds)
        server.in_flight.append(now + seconds)
        server.starts.append(now)


def new_replica(dice: random.Random, name: str) -> Replica:
    return Replica(name, dice.uniform(-1000, 1000), dice.uniform(0.99, 1.01))


def step(dice: random.Random, server: Server, replica: Replica, now: float) -> None:
    chance = dice.random()
    if chance < 0.01:
        replica.is_cut_off = not replica.is_cut_off
    elif chance < 0.03:
        replica.demand = dice.choice([0, 1, 5, 1000, 1000])
    elif chance < 0.5 and not replica.is_cut_off:
        if replica.sent:
            replica.arrive(server, is_confirmed=dice.random() < 0.9)
        else:
            replica.begin(server, now)
    else:
        for _ in range(dice.choice([1, 30])):
            replica.start(server, now, MAX_REQUEST * dice.choice([0.1, 0.97]))


@settings(max_examples=120, deadline=None)
@given(seed=st.integers(0, 2**32), in_flight=st.integers(1, 40), requests=st.integers(1, 200))
def test_no_limit_is_exceeded_by_all_together(seed: int, in_flight: int, requests: int) -> None:
    dice = random.Random(seed)
    server, now = Server((in_flight, requests, 0)), 0.0
    replicas = [new_replica(dice, f"r{number}") for number in range(dice.randint(1, 5))]
    for number in range(600):
        now += dice.choice([0.0, 0.0, 0.05, 0.3]) if dice.random() < 0.995 else dice.uniform(0, 20)
        server.check(now)
        place = dice.randrange(len(replicas))
        chance = dice.random()
        if chance < 0.005:
            replicas[place] = new_replica(dice, f"s{number}")  # killed, and another one starts
        else:
            step(dice, server, replicas[place], now)
        server.check(now)


def settled(limits: Quota, demands: list[int], seconds: float = 20.0) -> tuple[Server, list[Replica], float]:
    """Return replicas that have renewed in turn for `seconds`, without any requests."""
    server = Server(limits)
    replicas = [Replica(f"r{place}", 0.0, 1.0, demand=demand) for place, demand in enumerate(demands)]
    return server, replicas, renew_in_turn(server, replicas, 0.0, seconds)


def renew_in_turn(server: Server, replicas: list[Replica], now: float, seconds: float) -> float:
    until = now + seconds
    while now < until:
        for replica in replicas:
            replica.begin(server, now)
            replica.arrive(server, is_confirmed=True)
        now += RENEW
    return now


def test_the_whole_limit_is_leased_by_replicas_with_demand() -> None:
    _, replicas, _ = settled((100, 600, 0), [1000, 1000, 10, 0])
    assert [replica.usable for replica in replicas] == [(45, 270, 0), (45, 269, 0), (10, 61, 0), NO_QUOTA]


def test_a_new_replica_gets_its_share_within_two_renewals() -> None:
    server, replicas, now = settled((100, 600, 0), [1000])
    assert replicas[0].usable == (100, 600, 0)
    replicas.append(Replica("new", 50.0, 1.0, demand=1000))
    renew_in_turn(server, replicas, now, 2 * RENEW)
    assert [replica.usable for replica in replicas] == [(50, 300, 0)] * 2


def test_quota_in_use_stays_leased_until_its_requests_end() -> None:
    server, replicas, now = settled((100, 100_000, 0), [1000])
    for _ in range(100):
        replicas[0].start(server, now, 9.0)
    replicas.append(Replica("new", 50.0, 1.0, demand=1000))
    now = renew_in_turn(server, replicas, now, 2 * RENEW)
    assert (replicas[0].usable[IN_FLIGHT], replicas[0].leased[IN_FLIGHT], replicas[1].usable[IN_FLIGHT]) == (50, 100, 0)
    now = renew_in_turn(server, replicas, now, 9.0)
    assert replicas[1].usable[IN_FLIGHT] == 50


def test_the_quota_of_a_dead_replica_is_free_after_three_renewals_and_its_longest_request() -> None:
    server, (one, other), now = settled((100, 600, 0), [1000, 1000])
    kept = renew_in_turn(server, [one], now, LIFETIME - RENEW)
    assert one.usable[IN_FLIGHT] == 50
    kept = renew_in_turn(server, [one], kept, MAX_REQUEST + RENEW + 0.1)
    assert one.usable[IN_FLIGHT] == 100
    assert other.until < kept


@pytest.mark.parametrize("rate", [0.9, 1.0, 1.1])
def test_a_replica_that_is_is_cut_off_stops_before_others_begin(rate: float) -> None:
    server, (one, other), now = settled((100, 100_000, 0), [1000, 1000])
    other.rate, other.offset = rate, now - rate * now
    renew_in_turn(server, [other, one], now, 0.1)
    begun, dice = now, random.Random(1)
    while now < begun + 20:
        for _ in range(100):
            # It is cut off from the lease table, and not from the provider.
            other.start(server, now, MAX_REQUEST * 0.99 if dice.random() < 0.02 else 0.1)
        server.check(now)
        one.begin(server, now)
        one.arrive(server, is_confirmed=True)
        for _ in range(100):
            one.start(server, now, 0.2)
        server.check(now)
        now += 0.05
    assert one.usable[IN_FLIGHT] == 100


def test_the_window_of_a_dead_replica_is_inherited_as_it_ages() -> None:
    server, (one, other), now = settled((1000, 1220, 0), [1000, 1000])
    for _ in range(61):  # each starts 10 requests per second
        for replica in (one, other):
            for _ in range(10):
                replica.start(server, now, 0.1)
        for replica in (one, other) if int(now) % 2 else ():
            replica.begin(server, now)
            replica.arrive(server, is_confirmed=True)
        now += 1.0
    asked = []
    for second in range(61):  # the other replica is dead
        before = len(one.ends)
        for _ in range(20):
            before += 1
            replica_starts = len(server.starts)
            one.start(server, now, 0.1)
            asked.append((second, len(server.starts) - replica_starts))
        one.begin(server, now)
        one.arrive(server, is_confirmed=True)
        now += 1.0
        server.check(now)
    late = sum(started for second, started in asked if second >= 20)
    assert late >= 0.9 * 41 * 20


def test_while_the_table_is_young_no_replica_takes_more_than_it_leases() -> None:
    server, (one, other), now = settled((100, 600, 0), [1000, 1000])
    server.lose(now)
    new = Replica("new", 0.0, 1.0, demand=1000)
    now = renew_in_turn(server, [new, one, other], now, LIFETIME - 0.1)
    assert [replica.usable[IN_FLIGHT] for replica in (new, one, other)] == [0, 33, 34]
    renew_in_turn(server, [new, one, other], now, 2 * RENEW)
    assert sorted(replica.usable[IN_FLIGHT] for replica in (new, one, other)) == [33, 33, 34]


def test_a_limit_smaller_than_the_number_of_replicas_rotates() -> None:
    server, replicas, now = settled((1, 0, 0), [5, 5, 5])
    served = set()
    for _ in range(30):
        now = renew_in_turn(server, replicas, now, RENEW)
        assert sum(replica.usable[IN_FLIGHT] for replica in replicas) <= 1
        served |= {replica.name for replica in replicas if replica.usable[IN_FLIGHT]}
    assert served == {"r0", "r1", "r2"}


def test_a_replica_without_demand_and_quota_leaves_the_table() -> None:
    server, replicas, now = settled((100, 600, 0), [10, 10])
    replicas[1].demand = 0
    renew_in_turn(server, replicas, now, RENEW)
    assert set(server.table.leases) == {"r0"}


@given(
    st.integers(0, 100), st.dictionaries(st.integers(0, 13), st.integers(0, 50)), st.floats(0, 200), st.floats(0, 100)
)
def test_what_remains_of_a_lease_only_falls(amount: int, used: dict[int, int], silent: float, later: float) -> None:
    leased = LeasedAmount.of(amount, used, LIFETIME)
    assert leased.unused + sum(leased.used_by_age) == amount
    assert (
        leased.remaining(silent, LIFETIME, MAX_REQUEST) >= leased.remaining(silent + later, LIFETIME, MAX_REQUEST) >= 0
    )
    assert leased.remaining(LIFETIME - 0.1, LIFETIME, MAX_REQUEST) == amount
    assert leased.remaining(LIFETIME + WINDOW_SECONDS, LIFETIME, MAX_REQUEST) == 0


def test_a_table_is_read_as_it_was_written() -> None:
    lease = Lease(7, 6.0, 1.5, 90, (LeasedAmount(5, 5), LeasedAmount(9, 3, (4, 0, 2)), LeasedAmount()))
    table = LeaseTable({"one": lease, "other": lease}, 3)
    assert LeaseTable.from_bytes(table.to_bytes()) == table
    assert (
        LeaseTable.from_bytes(b"")
        == LeaseTable.from_bytes(b"{no")
        == LeaseTable.from_bytes(b'{"claims": 7}')
        == LeaseTable()
    )


def test_the_stored_form_of_a_table_does_not_change() -> None:
    """Replicas of another version read it."""
    table = LeaseTable(
        {"one": Lease(7, 6.0, 1.5, 90, (LeasedAmount(5, 5), LeasedAmount(9, 3, (4, 0, 2)), LeasedAmount()))}, 3
    )
    assert table.to_bytes() == (
        b'{"turn":3,"claims":{"one":{"beat":7,"life_seconds":6.0,"tail_seconds":1.5,"wants":90,'
        b'"parts":[[5,5],[9,3,4,0,2],[0,0]]}}}'
    )
