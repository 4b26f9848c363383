"""Errors, settings, waiting with a time limit, and the names and limits that services share.

Every package may import it. `settings` reads environment variables; the other modules are pure.
"""
