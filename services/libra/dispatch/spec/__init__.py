"""Validates a requested run and fills in its defaults, wildcards and judges.

It reads the registered models, tasks, attacks and judges that its caller loaded. Pure: it writes nothing.
"""
