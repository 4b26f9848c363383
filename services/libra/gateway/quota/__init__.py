"""How replicas share the limits of one model: each holds a lease on a part of them.

Leases are read from and written to a NATS key-value bucket by compare-and-set.
"""
