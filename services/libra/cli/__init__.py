"""The `libra` command: what people and scripts do with the services.

It reads arguments, run files and `state.json`, and speaks to the services over gRPC alone. It writes tables to a terminal,
JSON where a script reads, and exit codes that can be trusted: 0 done, 1 finished with failures, 2 asked wrongly, 3 a part of
Libra does not answer.
"""
