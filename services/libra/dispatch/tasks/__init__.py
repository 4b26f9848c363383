"""Tasks and samples: the card format, sample records, task versions, and the built-in tasks.

It reads YAML cards and JSONL samples and returns the contracts' messages.
"""
