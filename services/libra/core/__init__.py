"""What every package may import: errors, settings, waiting with a time limit, and names and limits that services share.

`settings` reads environment variables; the other modules are pure.
"""
