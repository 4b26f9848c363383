"""Answers the queries of the service: loads cells, sample sums and verdicts, and calls the pure modules of ranking.

It reads the store. It writes nothing but the cache of sample sums.
"""
