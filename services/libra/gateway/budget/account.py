"""This replica's account of one run's budget.

Reservations and settlements that come while the ledger is written share the next write: one write at a time, however
many requests are in flight. A reservation is granted only once it is stored, so a killed replica leaves no request
that the ledger does not count.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Protocol

from ulid import ULID

from libra.core.errors import Unavailable
from libra.core.spending.budget_ledger import Amount, Ledger, update
from libra.core.timeouts import wait_until_set

TTL_SECONDS = 30.0
"""The reservations of a replica that does not renew its entry for this long are spent."""

RENEW_SECONDS = 8.0
"""An entry with requests in flight is renewed at this interval."""

POLL_SECONDS = 0.5
"""A reservation that does not fit is tried again at this interval: requests of other replicas may have cost less."""

MAX_WRITE_ATTEMPTS = 20
"""Writes in a row that lose against another replica before the requests are refused for the moment."""

JITTER_SECONDS = 0.01
OUTAGE_SECONDS = 1.0


class Budgets(Protocol):
    """The stored ledgers; `libra.store.coordination.budgets.BudgetCollection` implements it."""

    async def add(self, run: str, ledger: Ledger) -> bool:
        """Store a new ledger; return False if there is one."""

    async def read(self, run: str) -> tuple[Ledger, float] | None:
        """Return a run's ledger and the time of the server's clock."""

    async def replace(self, run: str, ledger: Ledger, version: int) -> bool:
        """Replace the ledger if it still has this version; return whether it had."""


class Reservation:
    """The most that one request may cost. It ends with `settle`, which must be called exactly once."""

    def __init__(self, account: BudgetAccount, most: Amount, incarnation: int) -> None:
        self.most, self.incarnation = most, incarnation
        self.spent = Amount()
        """Cost of the request as far as it is known."""
        self._account = account

    def settle(self) -> None:
        """Count what the request has cost, and free the rest."""
        self._account.settle(self)


@dataclass(frozen=True, slots=True)
class _Waiter:
    most: Amount
    reservation: asyncio.Future[Reservation | None]


class BudgetAccount:
    """Reserves requests within one ledger: that of a run with a budget, or of a model with a ceiling on one day."""

    def __init__(self, budgets: Budgets, run: str, limit: Amount | None = None) -> None:
        """`limit` creates a ledger that is missing; without it, a missing ledger is an error."""
        self._budgets, self._run, self._limit = budgets, run, limit
        self.ledger: Ledger | None = None
        """The ledger as this replica has written it last."""
        self._holder = str(ULID())
        self._spent, self._reserved = Amount(), Amount()
        self._incarnation, self._is_listed = 0, False
        self._waiters: list[_Waiter] = []
        self._changed = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is in flight, and everything is written."""
        return self._writing is None or self._writing.done()

    async def reserve(self, most: Amount) -> Reservation | None:
        """Reserve a request once it fits into the budget; return None if the budget is used up.

        While requests are in flight, it waits for them, because they may cost less than was reserved. Raises
        Unavailable if the ledger cannot be written.
        """
        waiter = _Waiter(most, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        self._write()
        try:
            return await waiter.reservation
        except asyncio.CancelledError:
            if waiter.reservation.done() and not waiter.reservation.cancelled() and not waiter.reservation.exception():
                granted = waiter.reservation.result()
                if granted is not None:
                    granted.settle()
            raise

    def settle(self, reservation: Reservation) -> None:
        """Count what a request has cost, unless the ledger has counted it in full because the entry was lost."""
        if reservation.incarnation == self._incarnation:
            self._reserved -= reservation.most
            self._spent += reservation.spent
            self._write()

    async def flush(self) -> None:
        """Wait until no request is in flight, and everything is written."""
        if self._writing is not None:
            await asyncio.wait({self._writing})

    def _write(self) -> None:
        self._changed.set()
        if self.is_idle:
            self._writing = asyncio.create_task(self._write_changes())

    async def _write_changes(self) -> None:
        """Write every change, and renew the entry, until no request is in flight or waits."""
        while self._changed.is_set() or self._waiters or self._reserved.requests:
            self._changed.clear()
            try:
                await self._exchange()
            except Unavailable as error:
                self._refuse(error)
                self._changed.set()
                await asyncio.sleep(OUTAGE_SECONDS)
                continue
            await wait_until_set(self._changed, POLL_SECONDS if self._waiters else self._idle_seconds())

    def _idle_seconds(self) -> float:
        return RENEW_SECONDS if self._reserved.requests else 0.0

    async def _exchange(self) -> None:
        """Write this replica's entry, and admit the requests that fit."""
        self._waiters = [waiter for waiter in self._waiters if not waiter.reservation.done()]
        waiters = list(self._waiters)
        for _ in range(MAX_WRITE_ATTEMPTS):
            found = await self._budgets.read(self._run)
            if found is None and self._limit is not None:
                await self._budgets.add(self._run, Ledger(self._limit))
                continue
            if found is None:
                raise Unavailable(f"the budget of the run {self._run} is not stored")
            before, now = found
            self._check_entry(before)
            wanted = [waiter.most for waiter in waiters]
            after, granted = update(
                before,
                self._holder,
                spent=self._spent,
                reserved=self._reserved,
                wanted=wanted,
                now=now,
                ttl_seconds=TTL_SECONDS,
            )
            if await self._budgets.replace(self._run, after, before.version):
                self._is_listed, self.ledger = True, after
                self._admit(waiters, granted, is_exhausted=after.exhausted)
                return
            await asyncio.sleep(random.random() * JITTER_SECONDS)  # noqa: S311 - replicas only need to differ
        raise Unavailable(f"other gateways were faster to write the ledger of {self._run}; try again")

    def _check_entry(self, ledger: Ledger) -> None:
        """Begin a new entry if others have removed this one: they have counted its reservations in full."""
        if self._is_listed and self._holder not in ledger.entries:
            self._incarnation += 1
            self._spent, self._reserved, self._is_listed = Amount(), Amount(), False

    def _admit(self, waiters: list[_Waiter], granted: int, *, is_exhausted: bool) -> None:
        for place, waiter in enumerate(waiters):
            if place < granted:
                reservation = Reservation(self, waiter.most, self._incarnation)
                self._reserved += waiter.most
                if waiter.reservation.done():  # cancelled meanwhile
                    reservation.settle()
                else:
                    waiter.reservation.set_result(reservation)
            elif is_exhausted and not waiter.reservation.done():
                waiter.reservation.set_result(None)
        self._waiters = [waiter for waiter in self._waiters if not waiter.reservation.done()]

    def _refuse(self, error: Unavailable) -> None:
        for waiter in self._waiters:
            if not waiter.reservation.done():
                waiter.reservation.set_exception(error)
        self._waiters = []


MAX_IDLE_ACCOUNTS = 1_000


class BudgetAccounts:
    """The accounts of this replica, by the id of the ledger: a run, or a model and a day."""

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets
        self._accounts: dict[str, BudgetAccount] = {}

    def of(self, run: str, limit: Amount | None = None) -> BudgetAccount:
        """Return the account of a ledger; see `BudgetAccount` for `limit`."""
        account = self._accounts.get(run)
        if account is None:
            if len(self._accounts) >= MAX_IDLE_ACCOUNTS:
                self._accounts = {name: each for name, each in self._accounts.items() if not each.is_idle}
            account = self._accounts[run] = BudgetAccount(self._budgets, run, limit)
        return account

    async def drain(self, seconds: float) -> None:
        """Wait up to `seconds` until everything is written."""
        flushes = [asyncio.create_task(account.flush()) for account in self._accounts.values()]
        if flushes:
            _, late = await asyncio.wait(flushes, timeout=seconds)
            for task in late:
                task.cancel()
