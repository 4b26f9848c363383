"""Decides whether a release keeps what a policy demands.

It is pure: `libra.ranking.queries` loads its inputs from the store.
"""
