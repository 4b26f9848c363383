"""Tasks and their samples: the card format, sample records, task versions and the built-in tasks.

It reads YAML cards and JSONL samples. It writes nothing, and returns `Task` and `Sample` messages.
"""
