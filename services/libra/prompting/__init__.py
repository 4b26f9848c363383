"""Tools for prompts to helper models: delimit untrusted text, extract JSON, and strip reasoning from replies.

They are pure functions on strings, without protobuf. Attack and judge both use them.
"""
