from __future__ import annotations

import random

from libra.core.spending.budget_ledger import Amount, Entry, Ledger, amount, update


def change(ledger: Ledger, holder: str, *wanted: Amount, now: float = 0.0, **values: Amount) -> tuple[Ledger, int]:
    own = {"spent": Amount(), "reserved": Amount()} | values
    return update(ledger, holder, wanted=wanted, now=now, ttl_seconds=60, **own)


def test_dollars_are_rounded_up_to_billionths_and_add_up_exactly() -> None:
    tenth = amount(usd=0.1)
    assert sum([tenth] * 3, Amount()) == amount(usd=0.3)
    assert amount(usd=1e-12).nano_usd == 1


def test_reservations_are_granted_in_order_until_the_limit() -> None:
    ledger, granted = change(Ledger(amount(tokens=100)), "a", *[amount(tokens=40, requests=1)] * 3)
    assert (granted, ledger.reserved, ledger.exhausted) == (2, amount(tokens=80, requests=2), False)


def test_a_limit_that_is_not_set_limits_nothing() -> None:
    _, granted = change(Ledger(amount(requests=10)), "a", amount(usd=1e6, tokens=10**12, requests=1))
    assert granted == 1


def test_the_budget_is_exhausted_only_once_nothing_is_in_flight() -> None:
    want = amount(tokens=60, requests=1)
    ledger, _ = change(Ledger(amount(tokens=100)), "a", want)
    ledger, granted = change(ledger, "b", want)
    assert (granted, ledger.exhausted) == (0, False)
    ledger, _ = change(ledger, "a", spent=amount(tokens=50, requests=1))
    ledger, granted = change(ledger, "b", want)
    assert (granted, ledger.exhausted) == (0, True)
    _, granted = change(ledger, "b", amount(tokens=1, requests=1))
    assert granted == 0, "the run stops, so a cheaper request is refused too"
    _, granted = change(ledger.with_limit(amount(tokens=200)), "b", want)
    assert granted == 1


def test_a_repeated_write_changes_nothing() -> None:
    spent, reserved = amount(tokens=7, requests=1), amount(tokens=5, requests=1)
    once, _ = change(Ledger(amount(tokens=100)), "a", spent=spent, reserved=reserved)
    twice, _ = change(once, "a", spent=spent, reserved=reserved)
    assert (once.settled, once.reserved) == (twice.settled, twice.reserved)


def test_the_reservations_of_a_dead_replica_are_spent() -> None:
    ledger, _ = change(Ledger(amount(tokens=100)), "dead", amount(tokens=30, requests=1))
    ledger, granted = change(ledger, "b", amount(tokens=80, requests=1), now=61)
    assert (granted, ledger.settled) == (0, amount(tokens=30, requests=1))
    assert set(ledger.entries) == {"b"}
    ledger, granted = change(ledger, "b", amount(tokens=70, requests=1), now=61)
    assert granted == 0, "it is exhausted"


def test_no_history_of_replicas_exceeds_the_limit() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        ledger, own, limit = Ledger(amount(tokens=1000)), dict.fromkeys("abc", (Amount(), Amount())), 1000
        for now in range(60):
            holder = rng.choice("abc")
            spent, reserved = own[holder] if holder in ledger.entries else (Amount(), Amount())
            settled = amount(tokens=rng.randint(0, reserved.tokens), requests=0)
            done = Amount(0, reserved.tokens, reserved.requests)
            if rng.random() < 0.5:
                spent, reserved = spent + settled, reserved - done
            wants = [amount(tokens=rng.randint(1, 90), requests=1) for _ in range(rng.randint(0, 4))]
            ledger, granted = change(
                ledger, holder, *wants, now=now * rng.choice([1, 20]), spent=spent, reserved=reserved
            )
            own[holder] = (spent, sum(wants[:granted], reserved))
            assert (ledger.settled + ledger.reserved).tokens <= limit, seed


def test_an_entry_is_kept_while_its_replica_writes_it() -> None:
    entry = Entry(amount(tokens=1), Amount(), until=10.0)
    ledger, _ = change(Ledger(amount(tokens=5), entries={"a": entry}), "a", now=1000.0, spent=amount(tokens=1))
    assert ledger.settled == amount(tokens=1)
    assert ledger.written_off == Amount()


def test_the_used_ratio_is_that_of_the_measure_that_is_used_most() -> None:
    ledger = Ledger(limit=amount(usd=10, tokens=1000), written_off=amount(usd=2, tokens=500, requests=9))
    assert ledger.used_ratio == 0.5
    assert Ledger(limit=amount(), written_off=amount(usd=2)).used_ratio == 0
