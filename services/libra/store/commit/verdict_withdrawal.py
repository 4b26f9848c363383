"""Withdraws verdicts without a score: one transaction removes them and takes them out of their cell.

The trial then has no verdict, as if it had been lost, and gets another one exactly once.
"""

from __future__ import annotations

from collections.abc import Sequence

from libra.store.commit.transaction import BeginTransaction, CellIncrement, Transaction, run_with_retries
from libra.store.documents.proto_documents import Document
from libra.store.sums.cell_sums import MEAN_OUTCOMES

GROUP_VERDICTS = 500
"""The most in one transaction."""


async def withdraw(begin: BeginTransaction, cell: Document, ids: Sequence[str]) -> int:
    """Remove those of the verdicts of one cell that exist and have no score; return how many these were.

    `cell` holds the fields of `libra.store.sums.cells.CELL_KEY` and the category.
    """

    async def remove(transaction: Transaction) -> int:
        found = await transaction.find_verdicts(ids)
        verdicts = [verdict for verdict in found if verdict["outcome"] not in MEAN_OUTCOMES]
        if verdicts:
            increment = CellIncrement(cell)
            for verdict in verdicts:
                increment.add_verdict(verdict, is_balanced=False)  # only scores are balanced
            increment.sums, increment.judges = increment.sums.negated(), []
            await transaction.remove([verdict["_id"] for verdict in verdicts], increment)
        return len(verdicts)

    return await run_with_retries(begin, remove)
