"""Coordination of processes: the replica set that transactions need, and the records of lease holders."""
