"""Every log action, metric and span of Libra, each spelled once, and how a process gives them out.

It reads nothing. It writes log lines to stderr, serves metrics over HTTP, and sends spans to an OTLP endpoint if there is one.
"""
