"""Writes all collections into one file, and restores them from it.

It reads and writes every collection that `libra.store.indexes` declares, with the blocking driver: the command line
calls it, no service does.
"""
