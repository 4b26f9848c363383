"""Sends the trials of running runs: expansion, send window, batches, sweep and stall detection.

It reads runs, samples and verdict counts from the store, and the backlog from the bus.
It writes batches to the bus, and cursors, leases and the end of a run to the store.
"""
