"""Writes verdicts and the sums of their cells in one transaction, and shares each commit among concurrent callers.

It reads batches of verdicts; it writes the collections `verdicts` and `cells`.
"""
