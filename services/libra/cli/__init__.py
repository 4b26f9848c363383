"""The `libra` command line.

It reads arguments, files and `state.json`, calls the services over gRPC only, and prints tables for people or JSON for
scripts. `exit_codes` defines how a command ends.
"""
