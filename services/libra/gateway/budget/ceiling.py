"""The ceiling of one model per UTC day: a ledger for each day, which all replicas share."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from libra.core.spending.budget_ledger import Amount, Ledger
from libra.core.spending.daily_ceiling import ceiling_of, ledger_id, spending_text
from libra.gateway.budget.account import BudgetAccounts, Reservation
from libra.gateway.provider.result import BlockCause, FaultKind, ProviderFault
from libra.v1.model_pb2 import Model


class ModelCeiling:
    """Reserves the requests to one model within its ceiling."""

    def __init__(self, accounts: BudgetAccounts, model: Model, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns the seconds since 1970."""
        self._accounts, self._name, self._limit, self._clock = accounts, model.name, ceiling_of(model), clock

    async def reserve(self, most: Amount) -> Reservation | None:
        """Reserve a request once it fits into today's ceiling; return None if the ceiling is reached.

        Raises Unavailable if the ledger cannot be written.
        """
        return await self._accounts.of(self._ledger_id(), self._limit).reserve(most)

    def reached(self, most: Amount) -> ProviderFault:
        """Return the fault of a request that does not fit: it parks the model until midnight UTC."""
        now = self._now()
        midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
        ledger = self._ledger()
        spent = spending_text(ledger.settled, ledger.limit) if ledger else "nothing more fits"
        return ProviderFault(
            f"the ceiling of {self._name} for {now:%Y-%m-%d} UTC is reached: {spent}, and the next request may cost "
            f"{spending_text(most, self._limit, with_limit=False)}; it goes on at midnight UTC, or with a higher "
            f"ceiling (`libra models update {self._name}`)",
            FaultKind.FINAL,
            retry_after_seconds=(midnight - now).total_seconds(),
            block=BlockCause.CEILING,
        )

    def used_share(self) -> float:
        """Return which share of today's ceiling is spent or reserved, of the measure that is nearest to its limit.

        It is 0 until this replica has made a request today.
        """
        ledger = self._ledger()
        return (ledger.settled + ledger.reserved).share_of(ledger.limit) if ledger else 0.0

    def _ledger(self) -> Ledger | None:
        return self._accounts.of(self._ledger_id(), self._limit).ledger

    def _ledger_id(self) -> str:
        return ledger_id(self._name, self._now())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)
