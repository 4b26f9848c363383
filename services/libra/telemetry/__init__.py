"""The names of all log actions, metrics and spans, and their export.

It reads nothing. It writes log lines to stderr, serves metrics over HTTP, and sends spans to an OTLP endpoint if one is
set.
"""
