"""Shares the limits of one model among replicas: each replica holds a lease on a part of them.

It reads the leases of all replicas from a NATS key-value bucket, and writes its own by compare-and-set.
"""
