"""Commits verdicts and the sums of their cells in one transaction, with many callers sharing one commit."""
