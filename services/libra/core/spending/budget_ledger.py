"""The ledger of a run's budget: what was spent, and what the requests in flight may cost at most.

Every gateway replica has one entry. It writes its entry as absolute amounts, so that a repeated write changes nothing.
An entry that is not renewed belongs to a dead replica: what it had reserved counts as spent, because its requests may
have been answered and paid. So the true cost never exceeds the budget, as far as no request costs more than its
reservation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

NANO = 1_000_000_000
"""Billionths of a dollar in a dollar: whole numbers add up exactly."""

MAX_USD = 1_000_000_000.0
"""A ledger counts billionths of a dollar in 64 bits."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of each measure, or a limit of each; a limit of 0 is none."""

    nano_usd: int = 0
    """Billionths of a US dollar."""

    tokens: int = 0
    requests: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.nano_usd + other.nano_usd, self.tokens + other.tokens, self.requests + other.requests)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.nano_usd - other.nano_usd, self.tokens - other.tokens, self.requests - other.requests)

    def peak(self, other: Amount) -> Amount:
        """Return the larger of each measure."""
        return Amount(**{each.name: max(getattr(self, each.name), getattr(other, each.name)) for each in fields(self)})

    def is_within(self, limit: Amount) -> bool:
        """Return whether no measure exceeds its limit."""
        pairs = ((getattr(self, each.name), getattr(limit, each.name)) for each in fields(self))
        return all(amount <= most for amount, most in pairs if most)

    def share_of(self, limit: Amount) -> float:
        """Return the largest share of a limited measure that this amount uses; 0 without a limit."""
        pairs = ((getattr(self, each.name), getattr(limit, each.name)) for each in fields(self))
        return max((amount / most for amount, most in pairs if most), default=0.0)

    @property
    def usd(self) -> float:
        """US dollars."""
        return self.nano_usd / NANO


def amount(usd: float = 0.0, tokens: int = 0, requests: int = 0) -> Amount:
    """Return an amount, with the dollars rounded up to billionths."""
    return Amount(-int(-usd * NANO // 1), tokens, requests)


@dataclass(frozen=True, slots=True)
class Entry:
    """The amounts that one gateway replica has spent and reserved."""

    spent: Amount
    reserved: Amount
    until: float
    """The entry is lost after this time, in seconds since 1970 by the server's clock."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The budget of one run at one moment."""

    limit: Amount
    written_off: Amount = field(default_factory=Amount)
    """Amount spent by replicas whose entries were removed."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    """By replica."""

    exhausted: bool = False
    """Whether a request was refused although none was in flight."""

    version: int = 1
    """Increases with each change."""

    peak_reserved: Amount = field(default_factory=Amount)
    """The most that was reserved at any time, of each measure."""

    @property
    def settled(self) -> Amount:
        """The settled amounts."""
        return sum((entry.spent for entry in self.entries.values()), self.written_off)

    @property
    def reserved(self) -> Amount:
        """The most that the requests in flight may cost."""
        return sum((entry.reserved for entry in self.entries.values()), Amount())

    @property
    def used_ratio(self) -> float:
        """The settled part of the limit, of the measure that is used most; 0 without a limit."""
        pairs = ((getattr(self.settled, each.name), getattr(self.limit, each.name)) for each in fields(Amount))
        return max((amount / most for amount, most in pairs if most), default=0.0)

    def with_limit(self, limit: Amount) -> Ledger:
        """Return the ledger with another limit; requests are admitted again if it leaves anything."""
        return replace(self, limit=limit, exhausted=False, version=self.version + 1)


def update(
    ledger: Ledger,
    holder: str,
    *,
    spent: Amount,
    reserved: Amount,
    wanted: Sequence[Amount],
    now: float,
    ttl_seconds: float,
) -> tuple[Ledger, int]:
    """Write the entry of one replica, and return the ledger and how many of the wanted reservations are granted.

    They are granted in order, as long as everything spent and reserved stays within the limit. The ledger is exhausted
    once the first of them does not fit although nothing is in flight.
    """
    ledger = _without_expired(ledger, holder, now)
    others = {name: entry for name, entry in ledger.entries.items() if name != holder}
    entries = {**others, holder: Entry(spent, reserved, now + ttl_seconds)}
    ledger = replace(ledger, entries=entries, version=ledger.version + 1)
    total, granted = ledger.settled + ledger.reserved, 0
    for want in wanted if not ledger.exhausted else ():
        if not (total + want).is_within(ledger.limit):
            break
        total, reserved, granted = total + want, reserved + want, granted + 1
    entries[holder] = replace(entries[holder], reserved=reserved)
    is_exhausted = ledger.exhausted or (granted < len(wanted) and not ledger.reserved.requests)
    peak_reserved = ledger.peak_reserved.peak(ledger.reserved)
    return replace(ledger, entries=entries, exhausted=is_exhausted, peak_reserved=peak_reserved), granted


def _without_expired(ledger: Ledger, holder: str, now: float) -> Ledger:
    """Return the ledger in which the reservations of dead replicas are spent."""
    lost = {name: entry for name, entry in ledger.entries.items() if name != holder and entry.until < now}
    if not lost:
        return ledger
    written_off = sum((entry.spent + entry.reserved for entry in lost.values()), ledger.written_off)
    entries = {name: entry for name, entry in ledger.entries.items() if name not in lost}
    return replace(ledger, written_off=written_off, entries=entries)
