"""Reads mathematical expressions and tells whether two are equal.

Equality is tested by values: two expressions are equal if they have the same value at several fixed points. The time is
bounded by the length of the text, which a computer algebra system cannot promise.
"""
